# The example survey on a tiny country, computed again in R: every weight, and the standard errors
# of headline, domains and interviews. Synthetic, not ENI results.
#
# R's survey 4.1 has no chain of weighting steps; raking is survey::grake, the variance of areas
# svydesign(pps = "brewer"), and each step between is the textbook's residual, by lm.wfit and ave.
suppressMessages(library(survey))

d <- read.csv("dwellings.csv.gz", colClasses = c(area = "character"))
p <- read.csv("persons.csv.gz", colClasses = c(region = "character"))
margins <- read.csv("margins.csv", colClasses = c("character", "character", "numeric"))
link <- match(p$dwelling, d$dwelling)

share <- function(class, inside, taking, weight) {        # factor of those who take the weight of all
  wanted <- tapply(weight * inside, class, sum)
  given <- tapply(weight * taking, class, sum)
  as.vector((wanted / given)[as.character(class)]) * taking
}

# Dwellings: unknown eligibility, then response.
pi <- d$probability
w0 <- d$base_weight
known <- as.numeric(d$disposition != "unknown")
f1 <- share(d$class_e, rep(1, nrow(d)), known, w0)
w1 <- w0 * f1
answers <- as.numeric(d$disposition == "respondent")
eligible <- as.numeric(d$disposition %in% c("respondent", "nonrespondent"))
f2 <- share(d$class_r, eligible, answers, w1)
w2 <- w1 * f2

# Persons in dwellings: raking, one factor for each household (Lemaitre & Dufour 1987).
counted <- as.numeric(d$dwelling_type[link] != "habitaculo")
crossed <- function(key) {
  names <- strsplit(key, "*", fixed = TRUE)[[1]]
  do.call(paste, c(unname(p[names]), sep = "*"))
}
x <- sapply(seq_len(nrow(margins)), function(k)
  as.numeric(crossed(margins$variable[k]) == margins$category[k]))
household <- function(v) ave(v, p$household)              # mean of the household
x <- apply(x, 2, household) * counted
weight2 <- w2[link]
use <- counted == 1 & weight2 > 0
free <- qr(crossprod(x[use, ] * sqrt(weight2[use])), tol = 1e-9)$pivot
free <- free[seq_len(qr(crossprod(x[use, ] * sqrt(weight2[use])), tol = 1e-9)$rank)]
g <- rep(1, nrow(p))
g[use] <- as.vector(grake(x[use, free], weight2[use], cal.raking, bounds = list(lower = -Inf, upper = Inf),
                          population = margins$total[free], epsilon = 1e-13, verbose = FALSE,
                          maxit = 200, variance = NULL))
w3 <- weight2 * g

# Interviews: a subsample with known probabilities, then response.
taken <- as.numeric(p$interviewed == 1)
f4 <- ifelse(taken == 1, 1 / p$interview_probability, 0)
w4 <- w3 * f4
told <- as.numeric(p$interview_status == "respondent" & w4 > 0)
asked <- as.numeric(p$interview_status %in% c("respondent", "nonrespondent") & w4 > 0)
f5 <- share(p$class_i, asked, told, w4)
w5 <- w4 * f5

# The value of a unit before a step, from that after it.
class_mean <- function(v, class, taking, weight)
  as.vector((tapply(weight * taking * v, class, sum) /
             pmax(tapply(weight * taking, class, sum), 1e-300))[as.character(class)])
poisson <- function(e, before, rate) sum(before * (1 - rate) * e^2)

design <- svydesign(ids = ~area, strata = ~stratum, fpc = ~probability, pps = "brewer", data = d)
stopifnot(isTRUE(all.equal(as.vector(weights(design)), w0)))

variance <- function(u, interviews) {
  rate1 <- ifelse(known == 1, 1 / pmax(f1, 1), 1)
  rate2 <- ifelse(answers == 1, 1 / pmax(f2, 1), 1)
  extra <- 0
  if (interviews) {
    B <- class_mean(u, p$class_i, told, w4)
    rate5 <- ifelse(told == 1, 1 / pmax(f5, 1), 1)
    reached <- (pi * rate1 * rate2)[link]
    extra <- extra + poisson(w5 * (u - B) * told, reached * p$interview_probability, rate5)
    u <- (B * asked + f5 * (u - B) * told)
    drawn <- taken == 1 & p$interview_probability < 1    # natives of a dwelling pass together
    unit <- tapply((w4 * u)[drawn], link[drawn], sum)
    chance <- tapply(p$interview_probability[drawn], link[drawn], min)
    extra <- extra + poisson(unit, (pi * rate1 * rate2)[as.integer(names(unit))], chance)
    u <- f4 * u
  }
  B <- lm.wfit(x[use, free], u[use], weight2[use])$coefficients
  u[use] <- g[use] * (u[use] - x[use, free] %*% B)
  v <- rep(0, nrow(d))
  summed <- tapply(u, link, sum)
  v[as.integer(names(summed))] <- summed
  B <- class_mean(v, d$class_r, answers, w1)
  extra <- extra + poisson(w2 * (v - B) * answers, pi * rate1, rate2)
  v <- B * eligible + f2 * (v - B) * answers
  B <- class_mean(v, d$class_e, known, w0)
  extra <- extra + poisson(w1 * (v - B) * known, pi, rate1)
  v <- B + f1 * (v - B) * known
  design$variables$v <<- v
  as.vector(vcov(svytotal(~v, update(design, v = v)))) + extra
}

rows <- list()
add <- function(name, domain, estimate, u, interviews = FALSE)
  rows[[length(rows) + 1]] <<- data.frame(name = name, domain = domain, estimate = estimate,
                                          se = sqrt(variance(u, interviews)))
total <- function(name, y, domain, inside) add(name, domain, sum(w3 * y * inside), y * inside)
average <- function(name, y, domain, inside) {
  y <- ifelse(is.na(y), 0, y)
  size <- sum(w5 * inside)
  m <- sum(w5 * inside * y) / size
  add(name, domain, m, inside * (y - m) / size, TRUE)
}

immigrant <- as.numeric(p$status == "immigrant")
descendant <- as.numeric(p$status == "descendant")
everyone <- rep(1, nrow(p))
total("immigrants", immigrant, "all", everyone)
total("descendants", descendant, "all", everyone)
total("foreign", immigrant + descendant, "all", everyone)
for (zone in sort(unique(p$zone))) total("immigrants", immigrant, zone, as.numeric(p$zone == zone))
for (sex in c("F", "M")) total("descendants", descendant, sex, as.numeric(p$sex == sex))
for (region in sort(unique(p$region))) {
  inside <- as.numeric(p$region == region)
  size <- sum(w3 * inside)
  m <- sum(w3 * inside * immigrant) / size
  add("share", region, m, inside * (immigrant - m) / size)
}
total("persons", everyone, "all", everyone)
for (status in c("immigrant", "native")) {
  inside <- as.numeric(p$status == status & p$age >= 15 & w5 > 0)
  average("employment", as.numeric(p$employed), status, inside * !is.na(p$employed))
  average("hours", p$hours, status, inside * !is.na(p$hours))
}
write.csv(do.call(rbind, lapply(rows, transform, estimate = sprintf("%.15g", estimate),
                                se = sprintf("%.15g", se))),
          "example.csv", row.names = FALSE, quote = FALSE)
