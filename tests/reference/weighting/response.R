# Writes response.csv from ../estimation/people.csv: probabilities to respond, weights after the
# response model, and weights in quintiles of the probability. Run by `make reference`.
d <- read.csv("../estimation/people.csv", na.strings = "")
d$responds <- as.numeric((seq_len(nrow(d)) * 7919) %% 101 < 45 + 20 * (d$region == "north") + 0.3 * d$age)
fit <- suppressWarnings(glm(responds ~ age + region * sex, weights = w, family = binomial, data = d,
                            control = glm.control(epsilon = 1e-14, maxit = 100)))
p <- fitted(fit)
weight <- d$w * d$responds / p
write.csv(data.frame(responds = d$responds, p = p, weight = weight), "response.csv", row.names = FALSE)
