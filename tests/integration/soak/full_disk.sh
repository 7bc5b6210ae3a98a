# Runs a program in its folder, on disks that nobody else sees: one for the journals and, if
# $SOAK_DISK is its folder, one for all the rest. When it is struck, the one at $SOAK_DISK is
# filled to the last byte. In the end there is room again, and what lies on the disks is put
# where it came from.
set -eu
app=$PWD
signals=$SOAK_SIGNALS
under=$signals/under
mkdir "$under"
mount --bind "$app" "$under"
brought=state
if [ "$SOAK_DISK" = "$app" ]; then
    mount -t tmpfs -o size=48m,mode=755 tmpfs "$app"
    cp -a "$under/." "$app/"
    brought=.
fi
mkdir -p "$app/state" "$under/state"
mount -t tmpfs -o size=1m,mode=700 tmpfs "$app/state"
cp -a "$under/state/." "$app/state/"
cd "$app"
(
    until [ -e "$signals/strike" ]; do sleep 0.005; done
    cat /dev/zero >"$SOAK_DISK/in-the-way" || :
    : >"$signals/struck"
) >"$signals/said" 2>&1 &
filler=$!
: >"$signals/ready"
code=0
"$@" || code=$?
kill "$filler" 2>"$signals/said" || :
wait "$filler" || :
rm -f "$SOAK_DISK/in-the-way"
find "$under/$brought" -mindepth 1 -delete
cp -a "$app/$brought/." "$under/$brought/"
exit "$code"
