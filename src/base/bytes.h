/* SPDX-License-Identifier: MIT */
/*
 * Small arithmetic that several rooms need: rounding and bounds.
 */
#ifndef FERRYI_BASE_BYTES_H
#define FERRYI_BASE_BYTES_H

#include <stdint.h>

#define FERRYI_PAGE 4096u /* the format's unit of reservation, not the CPU's */

#define ferryi_offsetof_end(type, member)                                      \
	(offsetof(type, member) + sizeof(((type *)0)->member))

static inline uint64_t ferryi_round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static inline uint64_t ferryi_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t ferryi_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The smallest n with 2^n >= x. */
static inline unsigned ferryi_log2_up(uint64_t x)
{
	return x <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(x - 1);
}

#endif
