# Writes models.csv (coefficients), margins.csv (predictive margins) and wald.csv from people.csv: designs x models.
# Run by `make reference`.
suppressMessages(library(survey))
d <- read.csv("people.csv", stringsAsFactors = TRUE)
d$label <- sprintf("%s%02d", d$stratum, d$psu)
columns <- read.csv("replicate_weights.csv")
sample <- read.csv("twophase_sample.csv")
d$chosen <- sample$chosen
d$group <- factor(sample$group)
d$population <- 5000

base <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
ages <- data.frame(band = c("0-14", "15-29", "30-59", "60+"), Freq = c(2900, 3400, 6500, 5200))
pairs <- d$psu <= 2
few <- d[pairs, ]
designs <- list(
  replacement = base,
  stages = svydesign(id = ~psu + ssu + person, strata = ~stratum, weights = ~w,
                     fpc = ~psus + ssus + persons, data = d, nest = TRUE),
  # As in core.R, the file is sorted for R 4.1.
  brewer = svydesign(id = ~label, strata = ~stratum, fpc = ~p, pps = "brewer", data = d[order(d$label), ]),
  poststratified = postStratify(base, ~band, ages),
  linear = calibrate(base, ~sex + band, c(18000, 8800, 3400, 6500, 5200), calfun = "linear", epsilon = 1e-12),
  jkn = as.svrepdesign(base, type = "JKn"),
  brr = svrepdesign(data = few, weights = few$w, repweights = columns[pairs, grep("brr", names(columns))],
                    type = "BRR", combined.weights = TRUE),
  bootstrap = svrepdesign(data = d, weights = d$w, repweights = columns[, grep("bootstrap", names(columns))],
                          type = "bootstrap", combined.weights = TRUE),
  srs_full = twophase(id = list(~1, ~1), strata = list(NULL, ~group), fpc = list(~population, NULL),
                      subset = ~chosen, data = d),
  cluster_full = twophase(id = list(~label, ~1), strata = list(~stratum, ~group), fpc = list(~psus, NULL),
                          subset = ~chosen, data = few)
)
exact <- glm.control(epsilon = 1e-14, maxit = 100)
models <- list(
  linear = list(pay ~ sex + age, gaussian()),
  missing = list(income ~ sex + age, gaussian()),
  polynomial = list(log(pay) ~ sex * region + poly(age, 2), gaussian()),
  spline = list(pay ~ splines::bs(age, df = 4) + hours, gaussian()),
  logistic = list(employed ~ sex + group + band, quasibinomial()),
  counts = list(member ~ sex + age:region + log(hours) - 1, quasipoisson())
)
terms <- list(linear = ~age, missing = ~sex + age, polynomial = ~sex + sex:region, spline = ~hours, logistic = ~band, counts = ~age:region)

table <- margins <- wald <- NULL
add <- function(design, model, domain, s) {
  f <- models[[model]]
  fit <- eval(bquote(svyglm(.(f[[1]]), s, family = .(f[[2]]), control = exact)))
  rows <- summary(fit, df.resid = fit$df.residual)$coefficients
  # confint() goes through the normal distribution, which overflows with one degree of freedom.
  ends <- rows[, 1] + outer(rows[, 2], qt(c(0.025, 0.975), fit$df.residual))
  table <<- rbind(table, data.frame(design, model, domain, term = rownames(rows), estimate = rows[, 1], se = rows[, 2],
    t = rows[, 3], p = rows[, 4], lower = ends[, 1], upper = ends[, 2], df = fit$df.residual, row.names = NULL))
  if (domain == "") {
    test <- regTermTest(fit, terms[[model]])
    wald <<- rbind(wald, data.frame(design, model, statistic = c(test$Ftest), p = c(test$p), df1 = test$df, df2 = test$ddf))
  }
  if (model == "logistic" && domain == "" && !(design %in% c("srs_full", "cluster_full"))) {
    fit <- eval(bquote(svyglm(employed ~ sex + age, design = s, family = .(quasibinomial()), control = exact)))
    m <- svypredmeans(fit, ~group)
    v <- attr(m, "var")
    parts <- lapply(attr(v, "parts"), function(x) sqrt(diag(as.matrix(x))))
    margins <<- rbind(margins, data.frame(design, category = names(coef(m)), estimate = c(coef(m)), se = c(SE(m)),
                                          fixed = parts[[1]], row.names = NULL))
  }
}
for (design in names(designs)) {
  s <- designs[[design]]
  for (model in names(models)) {
    # Few PSUs leave no degrees of freedom to the longer models.
    if (design %in% c("brr", "cluster_full") && model %in% c("polynomial", "spline", "counts")) next
    # R 4.1 cannot take out rows of a two-phase design.
    if (design %in% c("srs_full", "cluster_full") && model == "missing") next
    add(design, model, "", s)
  }
  if (!(design %in% c("brewer", "brr", "srs_full", "cluster_full"))) add(design, "linear", "south", subset(s, region == "south"))
}
write.csv(table, "models.csv", row.names = FALSE)
write.csv(margins, "margins.csv", row.names = FALSE)
write.csv(wald, "wald.csv", row.names = FALSE)
