/* SPDX-License-Identifier: MIT */
/* Names of signals as this C library counts them. */
#include <errno.h>
#include <ferry/signal.h>

#include "base/error.h"
#include "link/signal.h"
#include "sys/signals.h"
#include "wire/signame.h"

static struct ferryi_rt_signals rt(void)
{
	return (struct ferryi_rt_signals){ ferryi_signal_rt_min(),
					   ferryi_signal_rt_max() };
}

int ferryi_signal_parse(const char *name)
{
	int n = ferryi_signame_parse(name, rt());

	if (n < 0)
		return ferryi_fail(-EINVAL,
				   "'%.40s' is no signal (USR1, CHLD, RTMIN+1 "
				   "or a number; ferry signal -l lists them)",
				   name);
	return n;
}

int ferry_signal_number(const char *name)
{
	ferryi_fail_clear();
	return ferryi_signal_parse(name ? name : "");
}

int ferry_signal_name(int number, char out[FERRY_SIGNAL_NAME_MAX])
{
	int n = ferryi_signame_format(number, rt(), out);

	ferryi_fail_clear();
	return n < 0 ? ferryi_fail(n, "%d is not the number of a signal",
				   number) :
		       n;
}
