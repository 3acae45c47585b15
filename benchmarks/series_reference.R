# Flags and dates of strucchange (GPL, started as a program) for series written by series_agreement.py.
#   Rscript series_reference.R FOLDER
# FOLDER holds shape.txt (dates, series, history), days.bin, values.bin (doubles, date by date within a series; NaN = cloud).
# Writes reference.csv: start of the stable history (row of the clear dates, from 1), first alarm with that history,
# first alarm with the whole history, largest moving sum after it.
suppressMessages(library(strucchange))
folder <- commandArgs(trailingOnly = TRUE)[1]
part <- as.integer(commandArgs(trailingOnly = TRUE)[2:3])
size <- scan(file.path(folder, "shape.txt"), quiet = TRUE)
dates <- size[1]; history <- size[3]
days <- readBin(file.path(folder, "days.bin"), "double", dates)
con <- file(file.path(folder, "values.bin"), "rb")
seek(con, where = part[1] * dates * 8)
values <- matrix(readBin(con, "double", dates * (part[2] - part[1])), nrow = dates)
close(con)
turn <- 2 * pi * days / 365.2425
design <- data.frame(a = cos(turn), b = sin(turn))
stable <- function(past) {
  n <- nrow(past)
  back <- past[n:1, ]
  process <- efp(y ~ a + b, data = back, type = "Rec-CUSUM")
  if (sctest(process)$p.value >= 0.05) return(1L)
  crossed <- which(abs(process$process)[-1] > boundary(process)[-1])
  length(process$process) - min(crossed) + 1L
}
first_alarm <- function(all, past) {
  whole <- rbind(past, all)
  found <- mefp(y ~ a + b, data = past, type = "OLS-MOSUM", h = 0.25, alpha = 0.05, period = 10)
  found <- monitor(found, data = whole, verbose = FALSE)
  c(if (is.na(found$breakpoint)) NA else found$breakpoint - nrow(past), found$statistic)
}
out <- matrix(NA_real_, ncol(values), 4)
for (k in seq_len(ncol(values))) {
  clear <- which(is.finite(values[, k]))
  table <- cbind(y = values[clear, k], design[clear, ])
  n <- sum(clear <= history)
  past <- table[1:n, ]; new <- table[-(1:n), ]
  start <- stable(past)
  out[k, 1] <- start
  if (n - start + 1 >= 8) out[k, 2] <- first_alarm(new, past[start:n, ])[1]
  out[k, 3:4] <- first_alarm(new, past)
}
write.csv(data.frame(start = out[, 1], alarm_stable = out[, 2], alarm = out[, 3], largest = out[, 4]),
          file.path(folder, sprintf("reference_%d.csv", part[1])), row.names = FALSE)
