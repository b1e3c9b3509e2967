/* SPDX-License-Identifier: MIT */
/* See dice.h.  The generator is splitmix64. */
#include "wire/dice.h"

#include <errno.h>
#include <string.h>

void ferryi_dice_init(struct ferryi_dice *d, uint64_t seed)
{
	d->state = seed;
}

uint64_t ferryi_dice_roll(struct ferryi_dice *d)
{
	uint64_t x = d->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* 0 ... n - 1, each as likely as the other. */
static uint64_t below(struct ferryi_dice *d, uint64_t n)
{
	return (uint64_t)((unsigned __int128)ferryi_dice_roll(d) * n >> 64);
}

void ferryi_dice_judge(struct ferryi_dice *d, const struct ferryi_odds *odds,
		       struct ferryi_verdict *out)
{
	out->drop = below(d, FERRYI_CERTAIN) < odds->drop;
	out->dup = below(d, FERRYI_CERTAIN) < odds->dup;
	out->reorder = below(d, FERRYI_CERTAIN) < odds->reorder;
	out->damage = below(d, FERRYI_CERTAIN) < odds->damage;
	out->where = ferryi_dice_roll(d);
	out->delay_ns = (int64_t)below(d, (uint64_t)odds->delay_ns + 1);
	if (out->drop)
		*out = (struct ferryi_verdict){ .drop = true };
}

/* --- what people write ---------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *text, which moves behind them; at least one. */
static int read_digits(const char **text, uint64_t *out)
{
	const char *p = *text;

	for (*out = 0; is_digit(*p); p++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (unsigned)(*p - '0'), out))
			return -EINVAL;
	if (p == *text)
		return -EINVAL;
	*text = p;
	return 0;
}

/* Digits behind the point, where 1 is worth `unit`. */
static int read_fraction(const char **text, uint64_t unit, uint64_t *total)
{
	const char *p = *text;

	for (; is_digit(*p); p++) {
		unit /= 10;
		if (unit == 0 && *p != '0')
			return -EINVAL;
		*total += unit * (uint64_t)(*p - '0');
	}
	if (p == *text)
		return -EINVAL;
	*text = p;
	return 0;
}

int ferryi_parse_probability(const char *text, uint32_t *out)
{
	size_t len = strlen(text);
	bool percent = len && text[len - 1] == '%';
	uint64_t unit = percent ? FERRYI_CERTAIN / 100 : FERRYI_CERTAIN;
	uint64_t total;

	if (read_digits(&text, &total) != 0 || total > 100)
		return -EINVAL;
	total *= unit;
	if (*text == '.') {
		text++;
		if (read_fraction(&text, unit, &total) != 0)
			return -EINVAL;
	}
	if (strcmp(text, percent ? "%" : "") != 0 || total > FERRYI_CERTAIN)
		return -EINVAL;
	*out = (uint32_t)total;
	return 0;
}

int ferryi_parse_count(const char *text, uint64_t *out)
{
	uint64_t n;

	if (read_digits(&text, &n) != 0 || *text)
		return -EINVAL;
	*out = n;
	return 0;
}
