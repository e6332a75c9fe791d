# Writes twophase.csv and twophase_sample.csv (who is in the second phase). Run by `make reference`.
suppressMessages(library(survey))
set.seed(11)
d <- read.csv("people.csv", stringsAsFactors = TRUE)
d$label <- sprintf("%s%02d", d$stratum, d$psu)
d$row <- seq_len(nrow(d))
d$group <- ifelse(d$origin == "DOM", "native", "migrant")
d$chosen <- d$group == "migrant" | runif(nrow(d)) < 0.4
srs <- d
srs$population <- 5000
# R 4.1 mixes up the sizes of phase-one strata unless all are equal: two PSUs in each.
d <- d[d$psu <= 2, ]
designs <- list(
  srs_full = twophase(id = list(~1, ~1), strata = list(NULL, ~group), fpc = list(~population, NULL), subset = ~chosen, data = srs),
  srs_approx = twophase(id = list(~1, ~1), strata = list(NULL, ~group), fpc = list(~population, NULL), subset = ~chosen, data = srs, method = "approx"),
  cluster_full = twophase(id = list(~label, ~1), strata = list(~stratum, ~group), fpc = list(~psus, NULL), subset = ~chosen, data = d),
  cluster_approx = twophase(id = list(~label, ~1), strata = list(~stratum, ~group), fpc = list(~psus, NULL), subset = ~chosen, data = d, method = "approx"),
  cluster_simple = twophase(id = list(~label, ~1), strata = list(~stratum, ~group), fpc = list(~psus, NULL), subset = ~chosen, data = d, method = "simple")
)
out <- NULL
for (name in names(designs)) {
  s <- designs[[name]]
  t <- svytotal(~pay, s); m <- svymean(~pay, s); r <- svyratio(~pay, ~hours, s)
  f <- s[s$phase1$sample$variables$sex == "F", ]
  mf <- svymean(~pay, f)
  out <- rbind(out, data.frame(design = name, case = c("total", "mean", "ratio", "mean_women"),
    estimate = c(coef(t), coef(m), coef(r), coef(mf)), se = c(SE(t), SE(m), SE(r), SE(mf)), df = c(rep(degf(s), 3), degf(f))))
}
write.csv(out, "twophase.csv", row.names = FALSE)
write.csv(srs[, c("row", "chosen", "group")], "twophase_sample.csv", row.names = FALSE)
