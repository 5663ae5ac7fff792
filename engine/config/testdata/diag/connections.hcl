connection "http" "a" {
  base_url = "https://a.example"
  via      = connection.http.b
}

connection "http" "b" {
  base_url = "https://b.example"
  via      = connection.http.c
}

connection "http" "c" {
  base_url = "https://c.example"
  via      = connection.http.a # error: connections go through one another in a circle
}

connection "http" "d" {
  base_url = "https://d.example"
  via      = connection.http.d # error: connections go through one another in a circle
}

sink "files" "there" {
  connection = connection.http.a
  path       = "out/{{ body.id }}.csv" # error: path begins with /
  marker     = "out/x"                 # error: marker begins with /
}

sink "files" "there_too" {
  connection = connection.http.a
  path       = "/out/{{ body.id }}.csv"
  marker     = "/out/x"
}
