table "countries" {
  file = "tables/countries.csv"
  key  = "code"
}

table "column" {
  file = "tables/countries.csv"
  key  = "cod" # error: countries.csv:2: The columns are code, name and vat.
}

table "twice" {
  file = "tables/twice.csv"
  key  = "code" # error: twice.csv:5: code is "CL" here and in line 2
}

table "ragged" {
  file = "tables/ragged.csv" # error: ragged.csv:3: 1 fields where the first line has 2
  key  = "code"
}

table "twice_ndjson" {
  file = "tables/twice.ndjson"
  key  = "code" # error: twice.ndjson:4: code is "1" here and in line 1
}

table "keyless" {
  file = "tables/keyless.json"
  key  = "code" # error: keyless.json:3: Each row needs its code
}

table "bool" {
  file = "tables/bool.json"
  key  = "code" # error: bool.json:1: A key is text or a whole number.
}

table "object" {
  file = "tables/object.json" # error: is to hold a list of objects
  key  = "code"
}

table "broken" {
  file = "tables/broken.json" # error: broken.json:2: Expected a value, found '}'.
  key  = "code"
}

table "number" {
  file = "tables/number.json" # error: number.json:2: A row is an object
  key  = "code"
}

table "gone" {
  file = "tables/contries.csv" # error: Did you mean "countries.csv"?
  key  = "code"
}

table "format" {
  file = "tables/countries.xlsx" # error: unknown format of a table
  key  = "code"
}

table "directory" {
  file = "tables" # error: unknown format of a table
  key  = "code"
}

table "bare" {} # error: missing attribute "file" # error: missing attribute "key"

table "countries" { # error: table "countries" is declared twice
  file = "tables/countries.csv"
  key  = "code"
}

source "webhook" "in" {
  path = table.countries # error: a table has no value at load
  verify "none" {}
}

flow "f" {
  from = source.webhook.in
  map {
    a = "table('countries', body.cc).name ?? ''"
    b = "table('contries', body.cc).name" # error: Did you mean "countries"?
    c = "table('countries', body.cc).nam" # error: Did you mean "name"?
    d = "table(body.name, body.cc)" # error: The name of a table must be written out
    e = "table('gone', body.cc).whatever"
    f = "table('countries', true)" # error: table needs a number or text
    g = "table.countries" # error: To call the function, write table(…).
  }
  to = sink.files.out
}

sink "files" "out" { path = "out/{{ table('countries', body.cc).nme }}.csv" } # error: There is no column nme
