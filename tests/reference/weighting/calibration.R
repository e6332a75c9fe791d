# Writes calibration.csv from ../estimation/people.csv: weights by distance, bounds on the factor and
# on the weight, one factor for each household, partitions. Run by `make reference`.
suppressMessages(library(survey))
d <- read.csv("../estimation/people.csv", na.strings = "", stringsAsFactors = TRUE)
d$house <- interaction(d$stratum, d$psu, d$ssu, drop = TRUE)
base <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
both <- c(18000, 8800, 3400, 6500, 5200)
fit <- function(s, ...) weights(calibrate(s, ~sex + band, both, epsilon = 1e-12, maxit = 1000, ...))
out <- data.frame(
  linear = fit(base, calfun = "linear"),
  linear_bounded = fit(base, calfun = "linear", bounds = c(0.95, 1.12)),
  raking = fit(base, calfun = "raking"),
  raking_bounded = fit(base, calfun = "raking", bounds = c(0.95, 1.12)),
  logit = fit(base, calfun = "logit", bounds = c(0.9, 1.15)),
  linear_weights = fit(base, calfun = "linear", bounds = list(lower = 22, upper = 65), bounds.const = TRUE),
  raking_weights = fit(base, calfun = "raking", bounds = list(lower = 22, upper = 65), bounds.const = TRUE)
)
household <- svydesign(id = ~house + person, weights = ~w, data = transform(d, person = seq_len(nrow(d)), w = 40))
out$household_linear <- fit(household, calfun = "linear", aggregate.stage = 1)
out$household_raking <- fit(household, calfun = "raking", aggregate.stage = 1)
out$household_bounded <- fit(household, calfun = "linear", aggregate.stage = 1, bounds = c(0.8, 1.3))
parts <- rep(NA_real_, nrow(d))
for (region in levels(d$region)) {
  part <- svydesign(id = ~1, weights = ~w, data = d[d$region == region, ])
  size <- sum(weights(part)) * 1.05
  parts[d$region == region] <- weights(calibrate(part, ~sex, c(size, size * 0.5), calfun = "raking",
                                                 epsilon = 1e-12, maxit = 500))
}
out$partitions <- parts
write.csv(out, "calibration.csv", row.names = FALSE)
