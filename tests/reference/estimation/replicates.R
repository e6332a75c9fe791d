# Writes replicate weights (replicate_weights.csv) and estimates from them (replicates.csv), and
# quantiles (quantiles.csv). Run by `make reference`.
suppressMessages(library(survey))
d <- read.csv("people.csv", stringsAsFactors = TRUE)
d$house <- interaction(d$stratum, d$psu, d$ssu, drop = TRUE)
set.seed(1)

base <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
fpc <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, fpc = ~psus, data = d, nest = TRUE)
clusters <- svydesign(id = ~house, weights = ~w, data = d)
pairs <- d[d$psu <= 2, ]
paired <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = pairs, nest = TRUE)
ages <- data.frame(band = c("0-14", "15-29", "30-59", "60+"), Freq = c(2900, 3400, 6500, 5200))
designs <- list(
  jkn = as.svrepdesign(base, type = "JKn"),
  jkn_fpc = as.svrepdesign(fpc, type = "JKn"),
  jk1 = as.svrepdesign(clusters, type = "JK1"),
  jkn_poststratified = postStratify(as.svrepdesign(base, type = "JKn"), ~band, ages),
  brr = as.svrepdesign(paired, type = "BRR"),
  fay = as.svrepdesign(paired, type = "Fay", fay.rho = 0.3),
  bootstrap = as.svrepdesign(base, type = "subbootstrap", replicates = 40)
)
rows <- function(design, case, domain, category, fit, df = NA) {
  data.frame(design, case, domain, category, estimate = as.numeric(coef(fit)), se = as.numeric(SE(fit)), df)
}
out <- list()
add <- function(...) out[[length(out) + 1]] <<- rows(...)
for (name in names(designs)) {
  s <- designs[[name]]
  add(name, "total", "", "", svytotal(~pay, s), degf(s))
  add(name, "mean", "", "", svymean(~pay, s), degf(s))
  f <- svyratio(~pay, ~hours, s); add(name, "ratio", "", "", f, degf(s))
  add(name, "proportion", "", levels(d$origin), svymean(~origin, s), degf(s))
  v <- svyvar(~pay, s)
  out[[length(out) + 1]] <- data.frame(design = name, case = "variance", domain = "", category = "",
    estimate = as.numeric(v), se = sqrt(as.numeric(attr(v, "var"))), df = degf(s))
  for (sex in c("F", "M")) {
    q <- s[s$variables$sex == sex, ]
    add(name, "mean", sex, "", svymean(~pay, q), degf(q))
  }
  mse <- s; mse$mse <- TRUE
  add(name, "mean_mse", "", "", svymean(~pay, mse), degf(s))
  for (type in c("mean", "quantile")) {
    f <- suppressWarnings(suppressMessages(svyquantile(~pay, s, c(0.25, 0.5), interval.type = type)))$pay
    out[[length(out) + 1]] <- data.frame(design = name, case = paste0("quantile_", type), domain = "",
      category = c("0.25", "0.5"), estimate = f[, 1], se = f[, 4], df = degf(s))
  }
}
write.csv(do.call(rbind, out), "replicates.csv", row.names = FALSE)

# Columns with final weights, for the designs whose factors depend on chance or on a matrix.
weights_of <- function(name) {
  w <- weights(designs[[name]], "analysis")
  colnames(w) <- paste0(name, "_", seq_len(ncol(w)))
  w
}
both <- matrix(NA, nrow(d), 0)
for (name in c("bootstrap", "jkn")) both <- cbind(both, weights_of(name))
half <- cbind(weights_of("brr"), weights_of("fay"))
wide <- matrix(NA, nrow(d), ncol(half), dimnames = list(NULL, colnames(half)))
wide[d$psu <= 2, ] <- half
write.csv(signif(cbind(both, wide), 15), "replicate_weights.csv", row.names = FALSE, na = "")
write.csv(data.frame(rscales = designs$jkn$rscales), "jkn_rscales.csv", row.names = FALSE)

quantiles <- list()
ties <- d
ties$tied <- round(d$pay, -3)
designs <- list(replacement = svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = ties, nest = TRUE),
                equal = svydesign(id = ~psu, strata = ~stratum, weights = ~one, data = transform(ties, one = 1), nest = TRUE))
for (name in names(designs)) for (rule in c("math", "school", "shahvaish", paste0("hf", 1:9)))
  for (y in c("pay", "tied")) {
    f <- svyquantile(as.formula(paste0("~", y)), designs[[name]], c(0.1, 0.25, 0.5, 0.9), qrule = rule)[[1]]
    quantiles[[length(quantiles) + 1]] <- data.frame(design = name, y, rule, interval = "mean", domain = "",
      order = c(0.1, 0.25, 0.5, 0.9), estimate = f[, 1], lower = f[, 2], upper = f[, 3], se = f[, 4])
  }
for (name in names(designs)) for (type in c("beta", "xlogit", "asin", "score")) {
  f <- svyquantile(~pay, designs[[name]], c(0.25, 0.5, 0.9), interval.type = type)[[1]]
  quantiles[[length(quantiles) + 1]] <- data.frame(design = name, y = "pay", rule = "math",
    interval = type, domain = "", order = c(0.25, 0.5, 0.9), estimate = f[, 1], lower = f[, 2], upper = f[, 3], se = f[, 4])
}
for (place in c("north", "south")) {
  q <- designs$replacement[ties$region == place, ]
  f <- svyquantile(~pay, q, c(0.25, 0.5), df = degf(q))[[1]]
  quantiles[[length(quantiles) + 1]] <- data.frame(design = "replacement", y = "pay", rule = "math",
    interval = "mean", domain = place, order = c(0.25, 0.5), estimate = f[, 1], lower = f[, 2], upper = f[, 3], se = f[, 4])
}
write.csv(do.call(rbind, quantiles), "quantiles.csv", row.names = FALSE)
