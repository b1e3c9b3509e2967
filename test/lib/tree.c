/* SPDX-License-Identifier: MIT */
/* See tree.h. */
#include "tree.h"

#include <ftw.h>
#include <stdio.h>

#define AT_ONCE 8 /* directories that are open */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	remove(path);
	return 0;
}

void tree_remove(const char *path)
{
	nftw(path, remove_one, AT_ONCE, FTW_DEPTH | FTW_PHYS);
}
