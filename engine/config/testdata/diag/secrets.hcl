secret "partner" { value = sensitive("hunter2") }
secret "empty" {} # error: missing attribute "value"
secret "number" { value = 5 }
secret "list" { value = ["a"] } # error: a secret is text
variable "token" {
  default   = "abc"
  sensitive = true
}
locals { mixed = "x-${var.token}" }

connection "http" "crm" {
  base_url = "https://${secret.partner}.example.com" # error: sensitive value not allowed in base_url
  password = local.mixed
  headers  = { Authorization = "Bearer ${secret.partner}" }
}
source "webhook" "orders" {
  path   = "/${local.mixed}" # error: sensitive value not allowed in path
  labels = { a = secret.partner } # error: sensitive value not allowed in labels
  verify "none" {}
}
sink "http" "a" {
  connection = connection.http.crm
  path       = "/${secret.partner}" # error: sensitive value not allowed in path
  headers    = { Authorization = "Bearer ${secret.partner}" }
  columns    = { a = secret.partner } # error: sensitive value not allowed in columns
}
