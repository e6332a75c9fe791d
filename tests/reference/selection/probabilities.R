# Writes inclusion.csv and joint.csv: probabilities of R's package sampling. Run by `make reference`.
library(sampling)
sizes <- list(
  small = c(15, 33, 18, 12, 10, 24, 9, 21, 40, 3),
  skew = c(1, 2, 3, 5, 8, 13, 21, 34, 55, 500),
  even = rep(4, 8)
)
inclusion <- do.call(rbind, lapply(names(sizes), function(case) {
  do.call(rbind, lapply(2:4, function(n) {
    p <- inclusionprobabilities(sizes[[case]], n)
    data.frame(case, n, unit = seq_along(p), size = sizes[[case]], probability = p)
  }))
}))
write.csv(format(inclusion, digits = 15), "inclusion.csv", row.names = FALSE, quote = FALSE)

p <- inclusionprobabilities(sizes$small, 4)
methods <- list(
  systematic = UPsystematicpi2, sampford = UPsampfordpi2, tille = UPtillepi2,
  "conditional-poisson" = UPmaxentropypi2
)
joint <- do.call(rbind, lapply(names(methods), function(method) {
  m <- methods[[method]](p)
  data.frame(method, one = c(row(m)), other = c(col(m)), probability = c(m))
}))
write.csv(format(joint, digits = 15), "joint.csv", row.names = FALSE, quote = FALSE)
