sink "log" "a" {
  description "of a" # error: description = "…"
}
sink "log" "b" {
  description: "of b" # error: description = …
}
sink "log" "c" {
  description = 'of c' # error: Text is put in double quotes
}
sink "log" "d" {
  description = /var/lib/d # error: Text is quoted: description = "…".
}
sink "log" "e" {
  description = # error: description has no value
}
sink "log" "f" {
  description = "f", # error: a comma between attributes
}
sink "log" "g" {
  description = two words # error: Text with blanks in it is quoted
}
sink "log" "h" {
  description = "\d+" # error: a backslash itself is written \\: \\d
}
sink "log" "i" {
  description = "${var.x" # error: ${ without }
}
flow "j" {
  to = [sink.log.a sink.log.b] # error: a comma is missing
}
flow "k" {
  to = [sink.log.a,
  # error +1: } where a value belongs
}
flow "l" {
  filter { when = lower("x" } # error: a comma is missing
}
}
sink "log" "m" # error: { on the next line
{
}
sink "log" "n" {
  description = “n” # error: Text is put in straight quotes
}
sink "log" "o" {
  description = "o"; # error: without semicolons
}
sink "log" "p" {
  timeout # error: timeout has no value
}
sink "log" "q" {
  description = 5 & 3 # error: At load, write &&
}
sink "log" "r" {
  description = true ? 1 # error: ? without :
}
sink "log" "s" {
<<<<<<< HEAD # error: mark of a merge conflict
  timeout = "5s"
=======
  timeout = "6s"
>>>>>>> other
}
sink "log" "t" {
  description = <<-EOT text # error: at the end of a line
}
sink "log" "u" {
  description = "a ${[1]} %{ unless x }" # error: unknown %{…}
}
sink "log" "v" {
  description = var. # error: a name is missing behind the dot
}
sink "log" "w" = { # error: A block is written without =
}
sink "log" "x" {
  retry {  # error: No } closes retry
    for = "1h"
}
sink "log" "y" {
  timeout = "5s"
}
