variable "site" { default = "scl" }
variable "later" { default = var.site } # error: a default stands for itself
variable "open" {} # error: variable open has no value
locals {
  a      = local.b # error: local.a → local.b → local.a
  b      = local.a
  c      = var.sitee # error: Did you mean var.site?
  d      = local # error: local alone is not a value
  e      = bodi.x # error: unknown name "bodi"
  f      = scl # error: Text is quoted: "scl".
  g      = uper("x") # error: Did you mean upper?
  h      = env("NOT_SET") # error: environment variable NOT_SET is not set
  i      = env("NOT_SET", "fine")
  j      = credential("db") # error: no credential "db"
  k      = credential("../etc/passwd") # error: A credential is the name of a file
  l      = file("missing.txt") # error: There is no file missing.txt
  m      = jsondecode("{") # error: jsondecode failed
  n      = body.x # error: body is not known at load
  o      = secret.none # error: unknown secret.none
  UPPER  = 1 # error: invalid name "UPPER"
}
