variable "site" { default = "scl" }
variable "braces" { default = "a {{ b" }
connection "http" "crm" {
  base_url = "https://crm.example.com"
}
sink "http" "a" {
  connection = connection.http.crm
  path       = "/é/{{ boddy.id }}" # error: Did you mean "body"?
}
sink "http" "b" {
  connection = connection.http.crm
  path       = "/${var.site}/\"{{ boddy.id }}" # error: Did you mean "body"?
}
sink "http" "c" {
  connection = connection.http.crm
  path       = "/{{ body.${var.site} }}" # error: Write var.site instead of ${var.site}
  headers    = { A = "x", B = "{{ boddy.x }}", A = "y" } # error: "A" is set twice # error: Did you mean "body"?
}
sink "http" "d" {
  connection = connection.http.crm
  path       = "/${var.braces}" # warning: {{ in computed text
  headers    = { A = ["x"] } # error: headers takes text
}
