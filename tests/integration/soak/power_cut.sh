# Runs a program in its folder, on a disk of ext4 in a file. When it is struck, everything
# stops, and that file is what has got to the disk: what was written and not synced is in the
# kernel's memory only. A copy of the file is mounted, as the machine would mount the disk when
# its power is back, and what lies on it is put where it came from.
set -eu
app=$PWD
signals=$SOAK_SIGNALS
mkdir "$signals/under" "$signals/after"
mount --bind "$app" "$signals/under"
truncate -s 48m "$signals/disk"
mkfs.ext4 -q -m 0 -E lazy_itable_init=0,lazy_journal_init=0 "$signals/disk"
# The kernel is to write nothing by itself, and to make nothing up for a sync that is missing.
mount -o loop,commit=600,noauto_da_alloc "$signals/disk" "$app"
cp -a "$signals/under/." "$app/"
rmdir "$app/lost+found"
sync -f "$app"
cd "$app"
"$@" &
program=$!
: >"$signals/ready"
until [ -e "$signals/strike" ] || ! kill -0 "$program" 2>"$signals/said"; do sleep 0.005; done
kill -9 "$program" 2>"$signals/said" || :
code=0
wait "$program" || code=$?
# What the program has started doesn't sync; it is at its end by then.
sleep 0.05
cp "$signals/disk" "$signals/disk-after"
mount -o loop "$signals/disk-after" "$signals/after"
find "$signals/under" -mindepth 1 -delete
cp -a "$signals/after/." "$signals/under/"
exit "$code"
