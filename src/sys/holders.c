/* SPDX-License-Identifier: MIT */
/* See holders.h. */
#include "sys/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int ferryi_inodes_add(struct ferryi_inodes *s, ino_t inode)
{
	size_t room = s->room ? 2 * s->room : 64;
	ino_t *grown;

	if (s->n == s->room) {
		grown = realloc(s->list, room * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		s->list = grown;
		s->room = room;
	}
	s->list[s->n++] = inode;
	return 0;
}

bool ferryi_inodes_has(const struct ferryi_inodes *s, ino_t inode)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i] == inode)
			return true;
	return false;
}

void ferryi_inodes_fini(struct ferryi_inodes *s)
{
	free(s->list);
	*s = (struct ferryi_inodes){ 0 };
}

int ferryi_sockets_device(dev_t *out)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0)
		err = -errno;
	else
		*out = st.st_dev;
	close(fd);
	return err;
}

/* How one descriptor is open; /proc shows it as the permissions of its link. */
static int holding(int dir, const char *name, dev_t dev,
		   const struct ferryi_inodes *s)
{
	struct stat st, link;

	if (fstatat(dir, name, &st, 0) != 0 || st.st_dev != dev ||
	    !ferryi_inodes_has(s, st.st_ino) ||
	    fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return FERRYI_HOLDS | (link.st_mode & S_IRUSR ? FERRYI_READS : 0) |
	       (link.st_mode & S_IWUSR ? FERRYI_WRITES : 0);
}

/* enum ferryi_holding; 0: it has not, or has ended; -EACCES: it is not ours to see. */
static int has_open(int proc, pid_t pid, dev_t dev,
		    const struct ferryi_inodes *s)
{
	char path[32];
	struct dirent *e;
	int fd, found = 0;
	DIR *d;

	snprintf(path, sizeof path, "%d/fd", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES || errno == EPERM ? -EACCES : 0;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return 0;
	}
	while ((e = readdir(d)))
		found |= holding(fd, e->d_name, dev, s);
	closedir(d);
	return found;
}

int ferryi_holders_of(dev_t dev, const struct ferryi_inodes *s,
		      int (*each)(pid_t pid, unsigned holding, void *arg),
		      void *arg)
{
	DIR *d = opendir("/proc");
	int r = 0, n_hidden = 0;
	struct dirent *e;

	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d))) {
		pid_t pid = atoi(e->d_name);
		int has = pid > 0 ? has_open(dirfd(d), pid, dev, s) : 0;

		n_hidden += has < 0;
		if (has > 0)
			r = each(pid, (unsigned)has, arg);
	}
	closedir(d);
	return r ? r : n_hidden;
}
