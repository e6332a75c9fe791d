# Writes tests.csv (Rao-Scott, Wald, t and rank tests) and imputed.csv (Rubin's rules) from people.csv. Run by `make reference`.
suppressMessages(library(survey))
d <- read.csv("people.csv", stringsAsFactors = TRUE)
d$label <- sprintf("%s%02d", d$stratum, d$psu)
# R gives ties ranks that depend on the order of the file, so there are none here.
d$untied <- d$hours + seq_len(nrow(d)) / 1000
base <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
ages <- data.frame(band = c("0-14", "15-29", "30-59", "60+"), Freq = c(2900, 3400, 6500, 5200))
designs <- list(
  replacement = base,
  stages = svydesign(id = ~psu + ssu + person, strata = ~stratum, weights = ~w,
                     fpc = ~psus + ssus + persons, data = d, nest = TRUE),
  poststratified = postStratify(base, ~band, ages),
  jkn = as.svrepdesign(base, type = "JKn"),
  south = subset(base, region == "south")
)
table <- NULL
add <- function(design, test, statistic, p, df1, df2, estimate = NA, se = NA) {
  table <<- rbind(table, data.frame(design, test, statistic = unname(c(statistic)), p = unname(c(p)), df1, df2, estimate, se))
}
for (name in names(designs)) {
  s <- designs[[name]]
  for (pair in c("origin+employed", "sex+band")) {
    f <- as.formula(paste("~", pair))
    for (kind in c("F", "Chisq", "Wald", "adjWald")) {
      t <- svychisq(f, s, statistic = kind)
      df <- if (kind == "Chisq") c(t$parameter, Inf) else t$parameter
      add(name, paste(kind, pair), t$statistic, t$p.value, df[[1]], df[[2]])
    }
  }
  t <- svyttest(pay ~ sex, s)
  add(name, "t", t$statistic, t$p.value, 1, t$parameter, t$estimate, t$estimate / t$statistic)
  t <- svyttest(income ~ employed, s)
  add(name, "t missing", t$statistic, t$p.value, 1, t$parameter, t$estimate, t$estimate / t$statistic)
  for (kind in c("wilcoxon", "vanderWaerden", "median")) {
    t <- svyranktest(untied ~ sex, s, test = kind)
    add(name, kind, t$statistic, t$p.value, 1, t$parameter, t$estimate, t$estimate / t$statistic)
    # R 4.1 fails for several groups of a replicate design.
    if (name == "jkn") next
    t <- svyranktest(untied ~ origin, s, test = kind)
    # R returns the chi-square as `parameter`, and its degrees of freedom as `statistic`.
    df <- as.numeric(t$statistic)
    add(name, paste(kind, "origin"), as.numeric(t$parameter) / df, t$p.value, df, t$ddf)
  }
}
write.csv(table, "tests.csv", row.names = FALSE)

# Five imputations of income: the missing are given pay, shifted.
imputed <- NULL
fits <- lapply(1:5, function(k) {
  s <- update(base, full = ifelse(is.na(income), pay * (0.9 + k / 20) + k, income))
  svyby(~full, ~region, s, svymean, covmat = TRUE)
})
m <- mitools::MIcombine(lapply(fits, coef), lapply(fits, vcov))
imputed <- data.frame(region = names(coef(m)), estimate = coef(m), se = sqrt(diag(vcov(m))), df = m$df)
write.csv(imputed, "imputed.csv", row.names = FALSE)
