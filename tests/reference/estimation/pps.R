# Writes pps.csv (estimates) and joint.csv (a matrix of joint probabilities, by Brewer's method).
suppressMessages({library(survey); library(sampling)})
set.seed(5)
d <- read.csv("people.csv")
d <- d[order(d$stratum, d$psu), ][seq(1, 400, by = 10), ]
d$pp <- inclusionprobabilities(d$size * exp(d$age / 60), 12)
take <- UPbrewer(d$pp) == 1
joint <- UPjoint <- UPmaxentropypi2(d$pp)[take, take]
s <- d[take, ]
s$fraction <- s$pp
designs <- list(
  ht = svydesign(id = ~1, fpc = ~fraction, pps = ppsmat(joint), variance = "HT", data = s),
  yg = svydesign(id = ~1, fpc = ~fraction, pps = ppsmat(joint), variance = "YG", data = s),
  overton = svydesign(id = ~1, fpc = ~fraction, pps = "overton", data = s),
  overton_yg = svydesign(id = ~1, fpc = ~fraction, pps = "overton", variance = "YG", data = s),
  hartley_rao = svydesign(id = ~1, fpc = ~fraction, pps = HR(), data = s),
  brewer = svydesign(id = ~1, fpc = ~fraction, pps = "brewer", data = s)
)
out <- NULL
for (name in names(designs)) {
  t <- svytotal(~pay, designs[[name]]); m <- svymean(~pay, designs[[name]]); r <- svyratio(~pay, ~hours, designs[[name]])
  out <- rbind(out, data.frame(design = name, case = c("total", "mean", "ratio"),
    estimate = c(coef(t), coef(m), coef(r)), se = c(SE(t), SE(m), SE(r))))
}
write.csv(out, "pps.csv", row.names = FALSE)
write.csv(s[, c("pay", "hours", "pp")], "pps_sample.csv", row.names = FALSE)
write.csv(as.data.frame(joint), "joint.csv", row.names = FALSE)
