/* SPDX-License-Identifier: MIT */
/*
 * The main of a fuzz target that is built without libFuzzer: give it every file
 * of the directories that are named.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return 0;
	n = fread(data, 1, sizeof data, f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, n);
	return 1;
}

int main(int argc, char **argv)
{
	char path[4096];
	struct dirent *e;
	int fed = 0;
	DIR *d;

	for (int i = 1; i < argc; i++) {
		d = opendir(argv[i]);
		while (d && (e = readdir(d)) != NULL) {
			snprintf(path, sizeof path, "%s/%s", argv[i],
				 e->d_name);
			if (e->d_name[0] != '.')
				fed += feed(path);
		}
		if (d)
			closedir(d);
	}
	printf("%d files\n", fed);
	return fed ? EXIT_SUCCESS : EXIT_FAILURE;
}
