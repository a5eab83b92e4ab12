#!/usr/bin/env bash
# Writes the same three chapters as Matroska, mp4 and mov store them, and one interlaced clip: needs ffmpeg 5 and mkvpropedit.
#
#   book.mp4   Nero's table and a QuickTime track (as ffmpeg writes both)
#   book.mov   the QuickTime track alone
#   book.mkv   ffmpeg's table before the pictures
#   late.mkv   mkvpropedit's behind the pictures: two editions, a chapter within a chapter
#   fields.mp4 top field first
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/chapters.txt" <<'TEXT'
;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=240
title=Opening
[CHAPTER]
TIMEBASE=1/1000
START=240
END=400
title=Der Fuchs läuft
[CHAPTER]
TIMEBASE=1/1000
START=400
END=600
title=終わり
TEXT
cat >"$work/nested.xml" <<'XML'
<?xml version="1.0"?>
<Chapters>
  <EditionEntry>
    <EditionUID>1</EditionUID>
    <ChapterAtom>
      <ChapterUID>2</ChapterUID>
      <ChapterTimeStart>00:00:00.000000000</ChapterTimeStart>
      <ChapterTimeEnd>00:00:00.240000001</ChapterTimeEnd>
      <ChapterDisplay><ChapterString>Opening</ChapterString><ChapterLanguage>eng</ChapterLanguage></ChapterDisplay>
      <ChapterAtom>
        <ChapterUID>3</ChapterUID>
        <ChapterTimeStart>00:00:00.120000000</ChapterTimeStart>
        <ChapterDisplay><ChapterString>Within</ChapterString></ChapterDisplay>
      </ChapterAtom>
    </ChapterAtom>
    <ChapterAtom>
      <ChapterUID>4</ChapterUID>
      <ChapterTimeStart>00:00:00.240000001</ChapterTimeStart>
      <ChapterDisplay><ChapterString>Der Fuchs läuft</ChapterString></ChapterDisplay>
    </ChapterAtom>
  </EditionEntry>
  <EditionEntry>
    <EditionUID>5</EditionUID>
    <ChapterAtom>
      <ChapterUID>6</ChapterUID>
      <ChapterTimeStart>00:00:00.000000000</ChapterTimeStart>
      <ChapterDisplay><ChapterString>Another cut</ChapterString></ChapterDisplay>
    </ChapterAtom>
  </EditionEntry>
</Chapters>
XML

make=(ffmpeg -v error -y -fflags +bitexact -f lavfi -i "color=teal:size=64x48:rate=25:duration=0.6")
coded=(-c:v libx264 -preset veryslow -flags:v +bitexact -fflags +bitexact)
"${make[@]}" -i "$work/chapters.txt" -map_chapters 1 "${coded[@]}" book.mp4
"${make[@]}" -i "$work/chapters.txt" -map_chapters 1 "${coded[@]}" -movflags disable_chpl book.mov
"${make[@]}" -i "$work/chapters.txt" -map_chapters 1 "${coded[@]}" book.mkv
"${make[@]}" "${coded[@]}" late.mkv
mkvpropedit -q late.mkv --chapters "$work/nested.xml"
"${make[@]}" "${coded[@]}" -vf setfield=tff -flags:v +ilme+ildct+bitexact -x264-params tff=1 fields.mp4
