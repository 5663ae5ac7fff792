SELECT repository, branch, "commit", author, title FROM commits
UNION ALL
SELECT repository, number, last, "by", title FROM issues
ORDER BY 3;
