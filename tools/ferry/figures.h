/* SPDX-License-Identifier: MIT */
/* Figures of objects of other mechanisms, as ferry_figures() gives them. */
#ifndef FERRY_TOOLS_FIGURES_H
#define FERRY_TOOLS_FIGURES_H

#include <ferry.h>
#include "table.h"

/* The value as people read it: "12", "1.5M", "yes", "3s ago". */
const char *figure_text(const struct ferry_figure *f, char buf[SHORT_MAX]);

/* An object: its address as "name", and all of them. */
void figures_json(const char *address, const struct ferry_figure *f, size_t n);

#endif
