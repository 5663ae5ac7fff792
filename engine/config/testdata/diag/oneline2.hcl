flow "y" {
  filter { when = "body.x == 'a' and [1, 2][0] == 1" description = lower("X") } # error: more than one argument in a block on one line
  to = sink.log.nowhere
}
source "webhook" "x" {} # error: missing attribute "path"
