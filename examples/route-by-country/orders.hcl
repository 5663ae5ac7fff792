# Orders to the office that is in charge of the country, by a table that somebody
# maintains in a spreadsheet (countries.csv). What no office wants goes to a file that
# somebody looks at.
#
#   syncd run -c examples/route-by-country

table "countries" {
  file = "countries.csv"
  key  = "code"
}

source "webhook" "orders" {
  path = "/orders"
  verify "none" {} # anybody on this machine may post
}

flow "orders" {
  from = source.webhook.orders

  set { country = "upper(body.country ?? '')" }
  set { office = "table('countries', body.country).office" }

  route {
    case "lima" {
      when = "body.office == 'lima'"
      to   = sink.files.lima
    }
    case "madrid" {
      when = "body.office == 'madrid'"
      set { vat = "number(table('countries', body.country).vat)" } # text in a CSV file
      to = sink.files.madrid
    }
    otherwise { to = sink.files.nobody }
  }
}

sink "files" "lima" { path = "out/lima.ndjson" }

sink "files" "madrid" { path = "out/madrid.ndjson" }

sink "files" "nobody" { path = "out/nobody.ndjson" }
