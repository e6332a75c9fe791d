# Writes gvf.csv (parameters of variance functions) from people.csv. Run by `make reference`.
suppressMessages(library(survey))
d <- read.csv("people.csv", stringsAsFactors = TRUE)
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
s <- update(s, one = 1)
t <- svyby(~one, ~region + sex + band, s, svytotal)
x <- coef(t); v <- (SE(t) / x)^2
keep <- x > 0 & v > 0
x <- x[keep]; v <- v[keep]
w <- 1 / v^2
for (k in 1:300) { iterated <- lm(v ~ I(1 / x), weights = w); w <- 1 / fitted(iterated)^2 }
rows <- function(model, weights, m) data.frame(model, weights, k = seq_along(coef(m)), parameter = unname(coef(m)), r2 = summary(m)$r.squared)
i <- 1 / v
out <- rbind(
  rows("reciprocal", "equal", lm(v ~ I(1 / x))),
  rows("reciprocal", "relative", lm(v ~ I(1 / x), weights = 1 / v^2)),
  rows("reciprocal", "iterated", iterated),
  rows("reciprocal-quadratic", "relative", lm(v ~ I(1 / x) + I(1 / x^2), weights = 1 / v^2)),
  rows("inverse", "equal", lm(i ~ x)),
  rows("inverse", "relative", lm(i ~ x, weights = 1 / i^2)),
  rows("inverse-quadratic", "equal", lm(i ~ x + I(x^2))),
  rows("log", "equal", lm(log(v) ~ log(x)))
)
write.csv(out, "gvf.csv", row.names = FALSE)
