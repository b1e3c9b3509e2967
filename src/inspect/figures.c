/* SPDX-License-Identifier: MIT */
/* ferry_figures(): how objects of other mechanisms stand, as their transports tell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "link/figures.h"
#include "link/transport.h"

int ferry_figures(const char *address, struct ferry_figure **out, size_t *n_out)
{
	const char *rest = "";
	const struct ferryi_transport *t =
		ferryi_inspect_scheme(address, &rest);
	struct ferryi_figures f = { 0 };
	int r;

	ferryi_fail_clear();
	if (!address)
		return ferryi_fail(-EINVAL, "there is no address (NULL)");
	if (!t || !t->figures)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s has no figures of another mechanism "
				   "(ferry_look() tells those of a realm)",
				   address);
	r = t->figures(rest, &f);
	if (r < 0)
		return r;
	*out = calloc(f.n + 1, sizeof **out);
	if (!*out)
		return ferryi_fail(-ENOMEM, "out of memory");
	memcpy(*out, f.at, f.n * sizeof **out);
	*n_out = f.n;
	return r;
}
