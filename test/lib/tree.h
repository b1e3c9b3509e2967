/* SPDX-License-Identifier: MIT */
/* A directory with all that is in it. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

/* Remove it, as far as can be; links in it are removed, and not followed. */
void tree_remove(const char *path);

#endif
