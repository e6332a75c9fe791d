# Writes mu284.csv: the municipalities of Särndal, Swensson & Wretman (1992), appendix B, summed up by region,
# and their optimum allocation, sec. 3.7.4, eq. 3.7.17 and 3.7.18. Run by `make reference`.
library(sampling)
data(MU284)
by <- function(f) as.numeric(tapply(MU284$REV84, MU284$REG, f))
out <- data.frame(stratum = sort(unique(MU284$REG)), population = by(length), mean = by(mean), sd = by(sd))
n <- 100
share <- out$population * out$sd
fixed <- rep(FALSE, nrow(out))
repeat { # strata whose share is above their population are taken whole
  m <- ifelse(fixed, out$population, (n - sum(out$population[fixed])) * share / sum(share[!fixed]))
  if (all(m <= out$population)) break
  fixed <- fixed | m > out$population
}
out$optimum <- m
out$variance <- out$population^2 * (1 / m - 1 / out$population) * out$sd^2
p <- n * out$population / sum(out$population)
out$proportional <- p
out$variance_proportional <- out$population^2 * (1 / p - 1 / out$population) * out$sd^2
write.csv(format(out, digits = 15, trim = TRUE), "mu284.csv", row.names = FALSE, quote = FALSE)
