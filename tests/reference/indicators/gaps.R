# Writes gaps.csv and adjusted.csv from ../estimation/people.csv; run by `make reference`.
library(survey)
d <- read.csv("../estimation/people.csv", na.strings = "")
d$group <- ifelse(d$origin == "DOM", "native", "immigrant")
d$hours <- as.numeric(d$hours)
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
gap <- function(code, by) {
  found <- svycontrast(by, c(1, -1))
  data.frame(code, estimate = c(coef(found)), se = c(SE(found)))
}
adults <- subset(s, age >= 15)
out <- rbind(
  gap("pay", svyby(~pay, ~group, adults, svymean, na.rm = TRUE, covmat = TRUE)),
  gap("employed", svyby(~employed, ~group, adults, svymean, na.rm = TRUE, covmat = TRUE)),
  gap("hourly", svyby(~pay, ~group, adults, svyratio, denominator = ~hours, na.rm = TRUE, covmat = TRUE))
)
for (level in sort(unique(d$band))) {
  d$y <- as.numeric(d$band == level)
  s <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
  by <- svyby(~y, ~group, s, svymean, na.rm = TRUE, covmat = TRUE)
  out <- rbind(out, gap(paste("band", level), by))
}
write.csv(out, "gaps.csv", row.names = FALSE)

p <- c(0.01, 0.04, 0.03, 0.5, 0.0004, 0.049, 0.049, 0.9, 0.2)
methods <- c(holm = "holm", bonferroni = "bonferroni", `benjamini-hochberg` = "BH", none = "none")
out <- do.call(rbind, lapply(names(methods), function(m) {
  data.frame(adjustment = m, p = p, adjusted = p.adjust(p, methods[[m]]))
}))
write.csv(out, "adjusted.csv", row.names = FALSE)
