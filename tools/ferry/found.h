/* SPDX-License-Identifier: MIT */
/* ferry ls SCHEME: - the objects of another mechanism. */
#ifndef FERRY_TOOLS_FOUND_H
#define FERRY_TOOLS_FOUND_H

#include <stdbool.h>

/* List them with their figures, or only their names.  The exit status. */
int found_show(const char *scheme, bool only_names);

#endif
