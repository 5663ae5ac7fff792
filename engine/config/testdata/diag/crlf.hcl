flow "a" {
	from = source.webhook.a # error: there is no source.webhook.a
	filter {
		# error +3: Did you mean "body"?
		when = <<-EOT
			body.a == 'x' and
				boddy.b
		EOT
	}
	map { a = "lower(5)" } # error: lower needs text
	to = sink.log.a
}
sink "log" "a" { descriptn = "x" } # error: Did you mean "description"?
