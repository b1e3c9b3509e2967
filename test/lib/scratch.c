/* SPDX-License-Identifier: MIT */
/*
 * Removes only what lies in a directory that it made itself.
 */
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

void scratch_make(struct scratch *s, const char *tag)
{
	const char *base = getenv("FERRY_REALM");

	snprintf(s->path, sizeof(s->path), "%s/ferry-test-%s-%d",
		 base ? base : "/dev/shm", tag, (int)getpid());
	scratch_remove(s);
	if (mkdir(s->path, 0700) || setenv("FERRY_REALM", s->path, 1)) {
		perror(s->path);
		exit(2);
	}
}

static char above[128]; /* empty: it is not ours */

void scratch_begin(const char *tag)
{
	if (getenv("FERRY_REALM"))
		return;
	snprintf(above, sizeof(above), "/dev/shm/ferry-tests-%s-XXXXXX", tag);
	if (!mkdtemp(above) || setenv("FERRY_REALM", above, 1)) {
		perror(above);
		exit(2);
	}
}

void scratch_end(void)
{
	if (*above)
		tree_remove(above);
}

void scratch_empty(const struct scratch *s)
{
	DIR *d = opendir(s->path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0))
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

void scratch_remove(const struct scratch *s)
{
	scratch_empty(s);
	rmdir(s->path);
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

int scratch_names(const struct scratch *s, char *buf, size_t size)
{
	struct dirent **list;
	int n = scandir(s->path, &list, not_dots, alphasort);
	size_t used = 0;

	buf[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (used < size)
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s", i ? " " : "",
						 list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return n;
}
