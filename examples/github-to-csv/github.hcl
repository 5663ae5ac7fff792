# What happens on GitHub as rows of CSV files: pushes to one, issues to another. Other
# events count as filtered.
#
#   GITHUB_SECRET=… syncd run -c examples/github-to-csv

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
      to = sink.files.commits
    }
    case "issue" {
      when = "body.event == 'issues' and body.action in ['opened', 'closed']"
      map {
        repository = "body.repository.full_name"
        issue      = "body.issue.number"
        action     = "body.action"
        by         = "body.sender.login"
        title      = "body.issue.title"
      }
      to = sink.files.issues
    }
  }
}

sink "files" "commits" {
  path = "out/commits.csv"
  format "csv" {}
}

sink "files" "issues" {
  path = "out/issues.csv"
  format "csv" {}
}
