#!/bin/sh
# Makes sure that GPU tests have the software adapter (Mesa's lavapipe) on Linux. Does nothing where it is there.
# On a system whose packages this script does not know it says what to install, and the tests that need it are skipped.
set -eu

case $(uname -s) in
    Linux) ;;
    Darwin) echo 'software adapter: macOS has none; tests use the Metal device, and nothing is to install' && exit 0 ;;
    *) echo 'software adapter: Windows brings its own (WARP), and nothing is to install' && exit 0 ;;
esac

has_loader() {
    # ldconfig lies outside an ordinary user's PATH on Debian.
    PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'
}

has_driver() {
    if [ -n "${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}" ]; then
        return 0 # the loader looks at nothing else then
    fi
    for folder in /usr/share /usr/local/share /etc "${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}"; do
        for file in "$folder"/vulkan/icd.d/lvp_icd*.json; do
            if [ -e "$file" ]; then
                return 0
            fi
        done
    done
    return 1
}

if has_loader && has_driver; then
    echo 'software adapter: found'
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "software adapter: not found. Install Mesa's lavapipe and the Vulkan loader:"
    echo '  Fedora  dnf install mesa-vulkan-drivers vulkan-loader'
    echo '  Arch    pacman -S vulkan-swrast vulkan-icd-loader'
    echo '  Alpine  apk add mesa-vulkan-swrast vulkan-loader'
    exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo 'software adapter: not found. As root: apt-get install mesa-vulkan-drivers libvulkan1' >&2
        exit 1
    fi
    as_root=sudo
fi
echo 'software adapter: not found, installing mesa-vulkan-drivers and libvulkan1'
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
    --no-install-recommends mesa-vulkan-drivers libvulkan1 >/dev/null
if ! { has_loader && has_driver; }; then
    echo 'error: the packages are installed, but no lavapipe driver is there' >&2
    exit 1
fi
echo 'software adapter: installed'
