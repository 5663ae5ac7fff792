source "webhook" "orders" {
  path = "/日本語/${var.größe}" # error: unknown var.größe
	labels = { "emoji 🎉 é" = nope } # error: unknown name "nope"
  verify "none" {}
}
