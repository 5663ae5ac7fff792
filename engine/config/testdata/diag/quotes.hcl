# Quotes inside of quotes.
sink "log" "a" {
  when = "body.state == "paid"" # error: in single quotes: "body.country == 'CL'"
}
sink "log" "b" { when = "body.state == "paid"" } # error: a quote inside of a quoted string
sink "log" "c" {
  description = "the "best" sink" # error: a quote inside of a quoted string
}
sink "log" "heredoc" { description = <<EOT
long
EOT
} # error -1: a block on one line that does not end on it
sink "log" "d" {
  when = "body.state == "" # error: string without an end
}
sink "log" "${var.site}" { # error: A label is fixed text
  when = "boddy.x"
}
