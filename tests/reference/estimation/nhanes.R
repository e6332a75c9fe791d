# Writes nhanes.csv: the analyses of docs/coming-from-r-stata-spss.md in R survey. Run by `make reference`.
suppressMessages(library(survey))
t <- read.csv("../../../examples/nhanes/nhanes_2017_2020.csv.gz", na.strings = "")
t$insured <- 1 - t$uninsured
t$sex <- ifelse(t$RIAGENDR == 1, "male", "female")
d <- svydesign(id = ~SDMVPSU, strata = ~SDMVSTRA, weights = ~WTINTPRP, nest = TRUE, data = t)
exam <- subset(svydesign(id = ~SDMVPSU, strata = ~SDMVSTRA, weights = ~WTMECPRP, nest = TRUE, data = t), WTMECPRP > 0)
out <- NULL
add <- function(analysis, label, estimate, se = NA, lower = NA, upper = NA) {
  out <<- rbind(out, data.frame(analysis, label, estimate = unname(c(estimate)), se = unname(c(se)), lower = unname(c(lower)), upper = unname(c(upper))))
}
est <- function(analysis, label, m, df = degf(d)) { ci <- confint(m, df = df); add(analysis, label, coef(m), SE(m), ci[, 1], ci[, 2]) }
m <- svymean(~uninsured, d, na.rm = TRUE); est("mean", "", m)
m <- svyby(~uninsured, ~natgrp, subset(d, !is.na(uninsured) & !is.na(natgrp)), svymean, covmat = TRUE); est("by", names(coef(m)), m)
g <- svycontrast(m, c(foreign = 1, native = -1)); est("gap", "", g)
m <- svytotal(~uninsured, d, na.rm = TRUE); est("total", "", m)
m <- svyratio(~uninsured, ~insured, d, na.rm = TRUE); est("ratio", "", m)
adults <- subset(d, RIDAGEYR >= 18)
m <- svymean(~uninsured, adults, na.rm = TRUE); est("adults", "", m)
m <- svyciprop(~I(uninsured == 1), subset(adults, natgrp == "foreign"), method = "logit", df = degf(d), na.rm = TRUE)
add("proportion", "", coef(m), SE(m), attr(m, "ci")[1], attr(m, "ci")[2])
m <- svyquantile(~BMXBMI, exam, 0.5, interval.type = "mean", qrule = "math", na.rm = TRUE, df = degf(exam))
add("median", "", m$BMXBMI[1], m$BMXBMI[4], m$BMXBMI[2], m$BMXBMI[3])
m <- svyglm(uninsured ~ natgrp + sex, adults, family = quasibinomial(), control = glm.control(epsilon = 1e-14, maxit = 100))
add("logistic", names(coef(m)), coef(m), SE(m))
m <- svychisq(~natgrp + uninsured, adults, statistic = "F"); add("chisq", "F", m$statistic); add("chisq", "p", m$p.value)
known <- subset(d, !is.na(natgrp))
pop <- c(`(Intercept)` = 322e6, sexmale = 158e6, natgrpnative = 277e6)
r <- calibrate(known, ~sex + natgrp, pop, calfun = "raking", epsilon = 1e-13, maxit = 500)
m <- svymean(~uninsured, r, na.rm = TRUE); add("raked", "", coef(m), SE(m))
j <- as.svrepdesign(d, type = "JKn"); m <- svymean(~uninsured, j, na.rm = TRUE); est("jackknife", "", m, degf(j))
write.csv(out, "nhanes.csv", row.names = FALSE)
