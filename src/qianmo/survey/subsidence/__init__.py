"""Mining subsidence by the probability-integral method (开采沉陷, 概率积分法)."""
