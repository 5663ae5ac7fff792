# GitHub's events in an SQLite database: a row for each commit, and for each issue the
# row that tells how it stands. Whatever crashes, no event counts twice.
#
#   GITHUB_SECRET=… syncd run -c examples/github-to-sqlite
#   sqlite3 -box examples/github-to-sqlite/out/github.db 'SELECT * FROM issues'

source "webhook" "github" {
  path = "/github"
  id   = "meta.header['x-github-delivery']" # the same when GitHub's button "Redeliver" is pressed
  verify "github" { secret = env("GITHUB_SECRET", "for a first try") }
}

flow "github" {
  from = source.webhook.github
  set { event = "meta.header['x-github-event']" }

  route {
    case "push" {
      when = "body.event == 'push'"
      split { each = "body.commits" }
      map {
        repository = "parent.repository.full_name"
        branch     = "trimPrefix(parent.ref, 'refs/heads/')"
        commit     = "body.id[:7]"
        author     = "body.author.name"
        title      = "split(body.message, '\\n')[0]"
      }
      to = sink.sql.commits
    }
    case "issue" {
      when = "body.event == 'issues'"
      map {
        repository = "body.repository.full_name"
        number     = "body.issue.number"
        title      = "body.issue.title"
        last       = "body.action"
        by         = "body.sender.login"
      }
      to = sink.sql.issues
    }
  }
}

connection "sql" "github" {
  driver = "sqlite"
  dsn    = "out/github.db"
}

sink "sql" "commits" {
  connection   = connection.sql.github
  table        = "commits"
  create_table = true
}

sink "sql" "issues" {
  connection   = connection.sql.github
  table        = "issues"
  key          = ["repository", "number"]
  create_table = true
}
