variable "port" {
  default = 80 # error: Port 80 needs root # error: It is even.
  validation {
    condition     = var.port > 1024
    error_message = "Port ${var.port} needs root: take one above 1024."
  }
  validation {
    condition     = var.port % 2 == 1
    error_message = "It is even"
  }
  validation {
    condition     = var.port < 65536
    error_message = "A port is at most 65535."
  }
}

variable "token" {
  default   = "planted" # error: What the rule says is not shown
  sensitive = true
  validation {
    condition     = strlen(var.token) > 20
    error_message = "The token ${var.token} is too short."
  }
}

variable "site" {
  default = "scl"
  validation {
    condition     = var.site != var.port # error: A validation sees its own variable alone, var.site.
    error_message = "no"
  }
  validation {
    condition     = "var.site != ''" # error: It is evaluated at load: condition = var.site != ''.
    error_message = "no"
  }
  validation {
    condition     = strlen(var.site) # error: This is a number.
    error_message = "no"
  }
  validation {
    condition     = true # error: a condition that does not look at its variable
    error_message = "no"
  }
  validation {
    condition     = var.site > 5 # error: wrong kind of value
    error_message = "no"
  }
  validation {
    condition     = contains(["scl"], var.sit) # error: A validation sees its own variable alone
    error_message = "no"
  }
  validation {
    condition     = var.site == "scl"
    error_message = "See ${local.x}." # error: A validation sees its own variable alone
  }
  validation { # error: missing attribute "error_message"
    condition = contains(["scl", "lim"], var.site)
  }
  validation "x" { # error: validation takes no label
    condition = true
  }
}

variable "env" {
  default = { name = "x" }
  validation {
    condition     = var.env.name == "x" && var.env["name"] == "x" && can(var.env.name) # error: unknown function "can"
    error_message = "no"
  }
}

variable "set" { # error: SYNCD_VAR_set sets it. The rule stands at validation.hcl:75.
  default = "ok"
  validation {
    condition     = var.set == "ok"
    error_message = "Only ok will do."
  }
}
