# Writes inequality.csv: point estimates of laeken (its variances are bootstraps). Run by `make reference`.
suppressMessages(library(laeken))
d <- read.csv("people.csv")
rows <- function(domain, d) {
  data.frame(domain, statistic = c("gini", "quintile share ratio", "poverty line", "poverty rate", "median poverty gap"),
    estimate = c(gini(d$pay, d$w)$value / 100, qsr(d$pay, d$w)$value, arpt(d$pay, d$w),
                 arpr(d$pay, d$w)$value / 100, rmpg(d$pay, d$w)$value / 100))
}
write.csv(rbind(rows("", d), rows("F", d[d$sex == "F", ]), rows("M", d[d$sex == "M", ])), "inequality.csv", row.names = FALSE)
