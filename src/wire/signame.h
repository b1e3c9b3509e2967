/* SPDX-License-Identifier: MIT */
/*
 * Names of signals, without SIG.  The real-time ones are counted from where the C
 * library says that they begin and end; what lies below is its own.  Pure.
 */
#ifndef FERRYI_WIRE_SIGNAME_H
#define FERRYI_WIRE_SIGNAME_H

struct ferryi_rt_signals {
	int min, max;
};

/* A number, or -EINVAL. */
int ferryi_signame_parse(const char *text, struct ferryi_rt_signals rt);

/* The length of the name in `out`, or -EINVAL. */
int ferryi_signame_format(int number, struct ferryi_rt_signals rt,
			  char out[16]);

#endif
