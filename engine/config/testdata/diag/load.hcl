locals {
  list = [1, 2]
  site = { name = "scl" }
  a    = local.list[5] # error: The list has no element at this place
  b    = local.site.nam # error: The value before the dot has no field of this name
  c    = "a" + "b" # error: Text is joined inside of quotes
  d    = local.list.x # error: no such field
  e    = upper([]) # error: wrong kind of argument
  f    = replace("a") # error: Write replace(str, substr, replace).
  g    = file("values.hlc") # error: Did you mean "values.hcl"?
  h    = file("../daig/values.hcl") # error: Did you mean "values.hcl"?
  i    = "x" ? 1 : 2 # error: a condition is true or false
  j    = "a${[1]}" # error: A list becomes text by join
  k    = [for x in 5 : x] # error: for goes through a list or an object
  l    = 1 / 0 # error: a division by zero
  n    = null.x # error: a field of null
  o    = local.a # nothing: one cause, one error
}

flow "orders" {
  filter { when = "local.a > 5 and lower(local.b) == 'x' and not local.i" } # nothing
  map {
    a = local.c # nothing
    b = "local.l + 1" # nothing
  }
  to = sink.log.Bad-Name
}

sink "log" "Bad-Name" {} # error: Write "bad_name".
snik "log" "debug" {} # error: Did you mean "sink"?
flow "b" {
  to = [sink.log.debug, sink.log.bad_name] # nothing
}
