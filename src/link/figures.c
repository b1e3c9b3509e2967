/* SPDX-License-Identifier: MIT */
/* See figures.h. */
#include "link/figures.h"

#include <stdio.h>

void ferryi_figure(struct ferryi_figures *f, const char *name,
		   enum ferry_unit unit, int64_t value)
{
	struct ferry_figure *to = &f->at[f->n++];

	snprintf(to->name, sizeof to->name, "%s", name);
	to->unit = unit;
	to->value = value;
}
