#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh: the proof that each check in this directory can fail.  A good
# sample must pass, and each bad one must be named.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
cases=0

check() {
	script=$here/$1
	shift
	"$script" "$@" >"$tmp/out" 2>&1
}

# good CHECK...: it passes, and says nothing.
good() {
	cases=$((cases + 1))
	check "$@" && [ ! -s "$tmp/out" ] && return 0
	echo "failed on a good sample: $*"
	cat "$tmp/out"
	bad=$((bad + 1))
}

# bad PHRASE CHECK...: it fails, and says the phrase.
bad() {
	phrase=$1
	shift
	cases=$((cases + 1))
	if check "$@"; then
		echo "passed on a bad sample ($phrase): $*"
	elif ! grep -qF -- "$phrase" "$tmp/out"; then
		echo "did not say '$phrase': $*"
		cat "$tmp/out"
	else
		return 0
	fi
	bad=$((bad + 1))
}

# sample FILE LINE...: a file of the sample tree.
sample() {
	file=$tmp/$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '%s\n' "$@" >"$file"
}

# object FILE.o LINE...: the lines, compiled.
object() {
	name=$1
	shift
	sample "$name.c" "$@"
	${CC:-cc} -O0 -w -fPIC -c "$tmp/$name.c" -o "$tmp/$name"
}

test_layers() {
	sample l/src/shm/a.c '#include "shm/a.h"' '#include <string.h>'
	sample l/src/shm/a_test.c '#include "sys/clock.h"'
	sample l/src/shm/a_test.h '#include "sys/clock.h"'
	sample l/tools/x/a.c '#include <ferry.h>' '#include "b.h"'
	sample l/tools/x/b.h
	good layers.sh "$tmp/l"
	sample l/src/shm/a.c '#include "sys/clock.h"'
	bad 'shm/ may not see sys/' layers.sh "$tmp/l"
	sample l/src/shm/a.c '  #  include "realm/realm.h"'
	bad 'src/shm/a.c: includes realm/realm.h' layers.sh "$tmp/l"
	sample l/src/shm/a.c '#include "a.h"'
	bad 'not written ROOM/x.h' layers.sh "$tmp/l"
	sample l/src/shm/a.c '#include <ferry.h>'
	bad 'includes the part it needs' layers.sh "$tmp/l"
	sample l/src/shm/a.c
	sample l/src/attic/a.c '#include "base/error.h"'
	bad 'the room attic has no line' layers.sh "$tmp/l"
	rm -r "$tmp/l/src/attic"
	sample l/tools/x/a.c '#include "base/error.h"'
	bad 'only installed headers' layers.sh "$tmp/l"
	sample l/tools/x/a.c
	sample l/include/ferry/a.h '#include "base.h"'
	bad 'an installed header is named' layers.sh "$tmp/l"
}

test_calls() {
	object shm_a.c.o 'int memcmp(); int ferryi_base(); int ferryi_a(void) {
		return memcmp() + ferryi_base(); }'
	object base_a.c.o 'int ferryi_base(void) { return 0; }'
	object sys_a.c.o 'int open(); int ferryi_sys(void) { return open(); }'
	object realm_a.c.o 'int malloc(); int ferryi_sys(); int f(void) {
		return malloc() + ferryi_sys(); }'
	object wait_a.c.o 'int ferryi_poll(); int f(void) {
		return ferryi_poll(); }'
	good calls.sh "$tmp"/*.o
	object shm_b.c.o 'int write(); int f(void) { return write(); }'
	bad 'shm_b.c.o: calls write: not pure' calls.sh "$tmp"/*.o
	object shm_b.c.o 'int malloc(); int f(void) { return malloc(); }'
	bad 'calls malloc: not pure' calls.sh "$tmp"/*.o
	object shm_b.c.o 'int ferryi_sys(); int f(void) { return ferryi_sys(); }'
	bad 'it lives in sys/' calls.sh "$tmp"/*.o
	rm "$tmp/shm_b.c.o"
	object realm_b.c.o 'int read(); int f(void) { return read(); }'
	bad 'realm_b.c.o: calls read: only sys/' calls.sh "$tmp"/*.o
	object realm_b.c.o 'int ferryi_poll(); int f(void) {
		return ferryi_poll(); }'
	bad 'only wait/ sleeps' calls.sh "$tmp"/*.o
}

test_symbols() {
	sample s.h '#define FERRY_API __attribute__((visibility("default")))' \
		'FERRY_API const char *ferry_a(void);' \
		'FERRY_API int ferry_b(int (*f)(void),' '	int n);'
	sample s.map 'FERRY_0.1 {' 'global:' '	ferry_a;' '	ferry_b;' \
		'local:' '	*;' '};'
	sample s.c 'char *ferry_a(void) { return 0; }' \
		'int ferry_b() { return 0; }' 'int ferry_c() { return 0; }'
	library() {
		${CC:-cc} -w -shared -fPIC -o "$tmp/s.so" "$tmp/s.c" \
			"-Wl,--version-script=$tmp/$1"
	}
	library s.map
	good symbols.sh "$tmp/s.so" "$tmp/s.map" "$tmp/s.h"
	sed 's/ferry_b/&;ferry_c/' "$tmp/s.map" >"$tmp/c.map"
	library c.map
	bad 'in the library, not in the map: ferry_c' \
		symbols.sh "$tmp/s.so" "$tmp/s.map" "$tmp/s.h"
	library s.map
	printf 'FERRY_API void ferry_d(void);\n' >>"$tmp/s.h"
	bad 'in the headers, not in the map: ferry_d' \
		symbols.sh "$tmp/s.so" "$tmp/s.map" "$tmp/s.h"
	sample s.h 'FERRY_API int ferry_b(void);'
	bad 'in the map, not in the headers: ferry_a' \
		symbols.sh "$tmp/s.so" "$tmp/s.map" "$tmp/s.h"
	sample s.h
	bad 'declare nothing' symbols.sh "$tmp/s.so" "$tmp/s.map" "$tmp/s.h"
}

test_manual() {
	sample m.h 'FERRY_API int ferry_a(int);' 'FERRY_API int ferry_ab(void);'
	sample man/m.3 '.Fn ferry_a "int n"' '.Fo ferry_ab'
	good manual.sh "$tmp/man" "$tmp/m.h"
	sample man/m.3 '.Fn ferry_ab void' '.Xr ferry_a 3'
	bad 'ferry_a has no' manual.sh "$tmp/man" "$tmp/m.h"
}

test_headers() {
	sample inc/x/a.h '#ifndef A_H' '#define A_H' '#include <stddef.h>' \
		'size_t a(void);' '#endif'
	good headers.sh "$tmp/inc"
	sample inc/x/a.h 'size_t a(void);'
	bad 'x/a.h does not compile alone' headers.sh "$tmp/inc"
	sample inc/x/a.h 'struct a { int n; };'
	bad 'x/a.h does not compile alone' headers.sh "$tmp/inc"
	sample inc/x/a.h 'int a(int class);'
	bad 'with g++' headers.sh "$tmp/inc"
}

test_format() {
	cp "$here/../.clang-format" "$tmp"
	sample f.c 'int f(void)' '{' '	return 0;' '}'
	good format.sh "$tmp/f.c"
	sample f.c 'int f(void) {' '    return 0;' '}'
	bad 'f.c: ' format.sh "$tmp/f.c"
}

test_tidy() {
	cp "$here/../.clang-tidy" "$tmp"
	sample compile_commands.json "[{ \"directory\": \"$tmp\",
		\"command\": \"cc -c t.c\", \"file\": \"$tmp/t.c\" }]"
	sample t.c 'int f(int *p);' 'int f(int *p)' '{' '	return *p;' '}'
	good tidy.sh "$tmp" "$tmp/t.c"
	sample t.c 'int f(int n);' 'int f(int n)' '{' '	if (n == 0)' \
		'		return 1 / n;' '	return 0;' '}'
	bad 'clang-analyzer-core.DivideZero' tidy.sh "$tmp" "$tmp/t.c"
}

test_paths() {
	mkdir "$tmp/git"
	git -C "$tmp/git" init -q
	sample git/a 'in /usr/include/ferry.h and /dev/shm/x'
	git -C "$tmp/git" add a
	good paths.sh "$tmp/git"
	sample git/a "in $tmp/git/b"
	bad 'a path of this machine' paths.sh "$tmp/git"
	sample git/a "in $HOME/b"
	bad "machine: $HOME/" paths.sh "$tmp/git"
}

test_versions() {
	sample v/include/ferry/base.h '#define FERRY_API_MAJOR 1' \
		'#define FERRY_API_MINOR 2' '#define FERRY_API_PATCH 3'
	sample v/meson.build "  version: '1.2.3', # x"
	sample v/src/meson.build "soname = '4'"
	sample v/src/shm/layout.h '#define FERRYI_FORMAT	5u'
	good versions.sh "$tmp/v"
	${CC:-cc} -shared -o "$tmp/v/v.so" -Wl,-soname,libferry.so.3 -x c /dev/null
	bad 'has not the soname libferry.so.4' versions.sh "$tmp/v" "$tmp/v/v.so"
	sample v/src/shm/layout.h '#define FERRYI_FORMAT FERRY_API_MAJOR'
	bad 'no plain FERRYI_FORMAT' versions.sh "$tmp/v"
	sample v/src/meson.build 'soname = version.split()[0]'
	bad "no line soname = 'N'" versions.sh "$tmp/v"
	sample v/meson.build "  version: '1.2.4',"
	bad '1.2.3 in base.h, 1.2.4 in meson.build' versions.sh "$tmp/v"
}

test_crash_points() {
	sample c/src/shm/a.c '	/* A1: half done */' '	/* A2: done */'
	sample c/src/shm/a_test.c '/* A9: no point of the library */'
	sample c/doc/crash.md '| point | where |' '|---|---|' \
		"| A1 | \`shm/a.c\` f | x |" "| A2 | \`shm/a.c\` | x |"
	good crash-points.sh "$tmp/c"
	sample c/src/shm/b.c '/* B1: new */'
	bad 'B1 shm/b.c: has no row' crash-points.sh "$tmp/c"
	sample c/src/shm/b.c '/* A2: again */'
	bad 'A2: stands twice' crash-points.sh "$tmp/c"
	rm "$tmp/c/src/shm/b.c"
	sample c/src/shm/a.c '	/* A1: half done */'
	bad 'A2 shm/a.c: has a row, but no comment' crash-points.sh "$tmp/c"
	rm "$tmp/c/src/shm/a.c"
	sample c/doc/crash.md
	bad 'nothing to compare' crash-points.sh "$tmp/c"
}

for subject in layers calls symbols manual headers format tidy paths versions \
	crash_points; do
	"test_$subject"
done
echo "$((cases - bad)) of $cases samples were judged rightly"
[ "$bad" -eq 0 ]
