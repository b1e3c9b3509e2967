/* SPDX-License-Identifier: MIT */
/* How an object of another mechanism stands: see figures() of transport.h. */
#ifndef FERRYI_LINK_FIGURES_H
#define FERRYI_LINK_FIGURES_H

#include <ferry/inspect.h>

#define FERRYI_FIGURES_MOST 12

struct ferryi_figures {
	struct ferry_figure at[FERRYI_FIGURES_MOST];
	size_t n;
};

/* One more; the name is a literal. */
void ferryi_figure(struct ferryi_figures *f, const char *name,
		   enum ferry_unit unit, int64_t value);

#endif
