# Writes core.csv from people.csv: designs x statistics, and calibrated designs. Run by `make reference`.
suppressMessages(library(survey))
d <- read.csv("people.csv", stringsAsFactors = TRUE)
d$one <- 1
d$house <- interaction(d$stratum, d$psu, d$ssu, drop = TRUE)

d$label <- sprintf("%s%02d", d$stratum, d$psu)

designs <- list(
  replacement = svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE),
  counts = svydesign(id = ~psu, strata = ~stratum, weights = ~w, fpc = ~psus, data = d, nest = TRUE),
  fractions = svydesign(id = ~psu, strata = ~stratum, weights = ~w, fpc = ~fraction, data = d, nest = TRUE),
  stages = svydesign(id = ~psu + ssu + person, strata = ~stratum, weights = ~w,
                     fpc = ~psus + ssus + persons, data = d, nest = TRUE),
  derived = svydesign(id = ~psu + ssu + person, strata = ~stratum,
                      fpc = ~psus + ssus + persons, data = d, nest = TRUE),
  elements = svydesign(id = ~1, strata = ~region, weights = ~w, data = d),
  weights = svydesign(id = ~1, weights = ~w, data = d),
  clusters = svydesign(id = ~psu, weights = ~w, data = transform(d, psu = house)),
  # R 4.1 takes the fractions of PSUs in the order of the file and their scores in the order of their
  # labels, so the file is sorted here.
  brewer = svydesign(id = ~label, strata = ~stratum, fpc = ~p, pps = "brewer",
                     data = d[order(d$label), ])
)
base <- designs$replacement
ages <- data.frame(band = c("0-14", "15-29", "30-59", "60+"), Freq = c(2900, 3400, 6500, 5200))
designs$poststratified <- postStratify(base, ~band, ages)
designs$poststratified_fpc <- postStratify(designs$stages, ~band, ages)
both <- c(`(Intercept)` = 18000, sexM = 8800, band15_29 = 3400, band30_59 = 6500, band60 = 5200)
linear <- function(s, ...) calibrate(s, ~sex + band, as.numeric(both), ...)
designs$linear <- linear(base, calfun = "linear", epsilon = 1e-12)
designs$bounded <- linear(base, calfun = "linear", bounds = c(0.9, 1.1), epsilon = 1e-12, maxit = 500)
designs$raking <- linear(base, calfun = "raking", epsilon = 1e-13, maxit = 500)
designs$logit <- linear(base, calfun = "logit", bounds = c(0.8, 1.3), epsilon = 1e-13, maxit = 500)
designs$numeric <- calibrate(base, ~sex + hours, c(18000, 8800, 590000), calfun = "linear", epsilon = 1e-12)
designs$twice <- calibrate(designs$linear, ~region, c(18000, 5700, 10800), calfun = "raking", epsilon = 1e-13, maxit = 500)
household <- svydesign(id = ~house + person, weights = ~one, data = transform(d, person = seq_len(nrow(d))))
designs$household <- calibrate(household, ~sex + band, c(440, 215, 84, 152, 134), aggregate.stage = 1,
                               calfun = "raking", epsilon = 1e-13, maxit = 500)

rows <- function(design, case, domain, category, fit, fit2 = fit, df = NA) {
  data.frame(design, case, domain, category, estimate = as.numeric(coef(fit)), se = as.numeric(SE(fit)),
             deff = as.numeric(deff(fit)), deff_without = as.numeric(deff(fit2)), df)
}
both_deffs <- function(call) {
  # Weights that add up to less than the sample have no design effect without replacement.
  list(call("replace"), suppressWarnings(call(TRUE)))
}
out <- list()
add <- function(...) out[[length(out) + 1]] <<- rows(...)
for (name in names(designs)) {
  s <- designs[[name]]
  f <- both_deffs(function(x) svytotal(~pay, s, deff = x)); add(name, "total", "", "", f[[1]], f[[2]], degf(s))
  f <- both_deffs(function(x) svymean(~pay, s, deff = x)); add(name, "mean", "", "", f[[1]], f[[2]], degf(s))
  f <- both_deffs(function(x) svymean(~income, s, deff = x, na.rm = TRUE)); add(name, "mean_missing", "", "", f[[1]], f[[2]], degf(s))
  f <- both_deffs(function(x) svyratio(~pay, ~hours, s, deff = x)); add(name, "ratio", "", "", f[[1]], f[[2]], degf(s))
  f <- svymean(~origin, s, deff = "replace"); add(name, "proportion", "", levels(d$origin), f, f, degf(s))
  out[[length(out)]]$deff_without <- NA
  v <- svyvar(~pay, s); r <- data.frame(name, "variance", "", "", as.numeric(v), sqrt(attr(v, "var")), NA, NA, degf(s))
  names(r) <- names(out[[1]]); out[[length(out) + 1]] <- r
  if (name == "brewer") {
    # A domain of a design with unequal fractions takes the first fraction for all in R 4.1; zeros
    # outside the domain give the domain without that.
    for (region in levels(d$region)) {
      s$variables$inside <- as.numeric(s$variables$region == region)
      s$variables$part <- s$variables$inside * s$variables$pay
      df <- degf(s[s$variables$region == region, ])
      for (case in c("total", "count")) {
        f <- if (case == "total") svytotal(~part, s) else svytotal(~inside, s)
        r <- data.frame(name, case, region, "", coef(f), SE(f), NA, NA, df)
        names(r) <- names(out[[1]]); out[[length(out) + 1]] <- r
      }
      for (sex in c("F", "M")) {
        q <- s$variables$sex == sex & s$variables$region == region & s$variables$age >= 15
        s$variables$inside <- as.numeric(q)
        s$variables$part <- s$variables$inside * s$variables$pay
        f <- svyratio(~part, ~inside, s)
        r <- data.frame(name, "mean", paste(sex, region), "", coef(f), SE(f), NA, NA, degf(s[q, ]))
        names(r) <- names(out[[1]]); out[[length(out) + 1]] <- r
      }
    }
    next
  }
  for (region in levels(d$region)) {
    q <- s[d$region == region, ]
    f <- both_deffs(function(x) svytotal(~pay, q, deff = x)); add(name, "total", region, "", f[[1]], f[[2]], degf(q))
    f <- svytotal(~one, q); r <- data.frame(name, "count", region, "", coef(f), SE(f), NA, NA, degf(q))
    names(r) <- names(out[[1]]); out[[length(out) + 1]] <- r
  }
  for (sex in c("F", "M")) for (region in levels(d$region)) {
    q <- s[d$sex == sex & d$region == region & d$age >= 15, ]
    f <- both_deffs(function(x) svymean(~pay, q, deff = x))
    add(name, "mean", paste(sex, region), "", f[[1]], f[[2]], degf(q))
  }
}
write.csv(do.call(rbind, out), "core.csv", row.names = FALSE)

intervals <- list()
for (method in c("logit", "xlogit", "beta", "mean")) for (place in levels(d$region)) {
  q <- base[d$region == place, ]
  fit <- svyciprop(~employed, q, method = method, df = degf(q))
  intervals[[length(intervals) + 1]] <- data.frame(method, region = place, estimate = as.numeric(fit),
    lower = attr(fit, "ci")[1], upper = attr(fit, "ci")[2])
}
write.csv(do.call(rbind, intervals), "intervals.csv", row.names = FALSE)

weights <- data.frame(row = seq_len(nrow(d)))
for (name in c("poststratified", "linear", "bounded", "raking", "logit", "numeric", "twice", "household")) {
  weights[[name]] <- weights(designs[[name]])
}
write.csv(weights, "weights.csv", row.names = FALSE)

lonely <- list()
single <- d[!(d$stratum %in% c("e", "c") & d$psu > 1), ]
for (policy in c("certainty", "remove", "average", "adjust")) {
  options(survey.lonely.psu = policy)
  s <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = single, nest = TRUE)
  add_row <- function(case, domain, fit) lonely[[length(lonely) + 1]] <<-
    data.frame(policy, case, domain, estimate = as.numeric(coef(fit)), se = as.numeric(SE(fit)))
  add_row("total", "", svytotal(~pay, s))
  add_row("mean", "", svymean(~pay, s))
  for (place in levels(d$region)) {
    add_row("mean", place, svymean(~pay, s[single$region == place, ]))
    add_row("total", place, svytotal(~pay, s[single$region == place, ]))
  }
}
write.csv(do.call(rbind, lonely), "lonely.csv", row.names = FALSE)
