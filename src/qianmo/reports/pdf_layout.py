"""The typst layout of a plan book; it holds no text of the user, which comes as ``book.json`` (PDF 版式)."""

from __future__ import annotations

__all__ = ["LAYOUT"]

LAYOUT = r"""
#let book = json("book.json")
#let sans = "Noto Sans SC"
#let serif = "Noto Serif SC"
#let red = rgb("#c8102e")
#let running = text(font: sans, size: 8.5pt)[#book.title#book.subtitle]
#let mark = if book.mark == "" { none } else { text(font: sans, size: 8.5pt, fill: red, book.mark) }
#let folio = context text(font: sans, size: 8.5pt)[第 #counter(page).display() 页 / 共 #counter(page).final().first() 页]

#set document(title: book.title + book.subtitle, author: book.office, date: none)
#set page(
  paper: "a4", margin: (top: 32mm, bottom: 26mm, left: 26mm, right: 24mm),
  header: { running; h(1em); h(1fr); mark; v(-6pt); line(length: 100%, stroke: 0.4pt) },
  footer: align(center, folio),
)
#set text(font: serif, size: 11.5pt, lang: "zh", region: "cn")
#set par(first-line-indent: (amount: 2em, all: true), justify: true, leading: 0.95em, spacing: 0.95em)
#set list(marker: [•], indent: 1em, spacing: 0.95em)
#show heading: set text(font: sans, weight: "regular")
#show heading.where(level: 1): it => { pagebreak(weak: true); align(center, block(below: 1.4em, text(size: 18pt, it.body))) }
#show heading.where(level: 2): it => block(above: 1.5em, below: 1em, sticky: true, text(size: 14pt, it.body))
#show heading.where(level: 3): it => block(above: 1.2em, below: 0.9em, sticky: true, text(size: 12pt, it.body))

// 见表n、图n: a link where the label exists
#let linked(words) = {
  let last = 0
  for found in words.matches(regex("[表图]\\d+")) {
    words.slice(last, found.start)
    if found.text in book.labels { link(label(found.text), found.text) } else { found.text }
    last = found.end
  }
  words.slice(last)
}

#let sheet-table(part) = {
  set par(first-line-indent: 0em, justify: false, leading: 0.5em)
  block(above: 1.4em, below: 0.7em, width: 100%, sticky: true, align(center, {
    [#text(font: sans, size: 10.5pt)[#part.label#h(1em)#part.title]#label(part.label)]
    if part.mark != "" { linebreak(); text(font: sans, size: 8.5pt, fill: red, part.mark) }
  }))
  if part.empty != "" {
    block(width: 100%, stroke: 0.5pt, inset: 8pt, align(center, text(size: 10pt, part.empty)))
  } else {
    set text(size: 8.5pt)
    let head(n) = text(font: sans, {
      part.heads.at(n)
      if part.units.at(n) != "" { linebreak(); text(size: 7.5pt)[（#part.units.at(n)）] }
    })
    let side(n) = if part.numeric.at(n) { right + horizon } else { left + horizon }
    block(breakable: part.rows.len() > 14, width: 100%, table(
      columns: part.widths.map(w => w * 1fr), stroke: 0.5pt, inset: (x: 3pt, y: 4pt),
      align: (x, y) => if y == 0 { center + horizon } else { side(x) },
      fill: (x, y) => if y == 0 { luma(236) } else { none },
      table.header(..range(part.heads.len()).map(head)),
      ..part.rows.flatten().map(c => c),
      ..part.total.map(c => table.cell(fill: luma(246), text(font: sans, c))),
    ))
  }
  block(above: 0.6em, below: 1.4em, text(size: 8.5pt, part.note))
}

#let map-page(part) = page(
  width: part.width * 1mm, height: (part.height + part.strip) * 1mm, margin: 0mm, header: none, footer: none,
  {
    place(top + left, dy: part.strip * 1mm, image(part.file, width: 100%, height: part.height * 1mm))
    place(top + left, dx: 20mm, dy: 4.5mm, [#text(font: sans, size: 8.5pt)[#part.label#h(1em)#part.title#h(2em)]#label(part.label)#running#h(2em)#mark])
    place(bottom + right, dx: -9mm, dy: -4mm, folio)
  },
)

#let draw(part) = {
  if part.kind == "heading" { heading(level: part.level, part.text) }
  else if part.kind == "paragraph" { par(linked(part.text)) }
  else if part.kind == "bullets" { list(..part.items.map(linked)) }
  else if part.kind == "table" and part.wide { page(flipped: true, sheet-table(part)) }
  else if part.kind == "table" { sheet-table(part) }
  else { map-page(part) }
}

#page(header: none, footer: none, {
  set par(first-line-indent: 0em)
  set align(center)
  v(52mm)
  text(font: sans, size: 26pt, book.title)
  v(6mm)
  text(font: sans, size: 26pt, book.subtitle)
  v(14mm)
  if mark != none { block(stroke: 1pt + red, inset: 8pt, text(font: sans, size: 13pt, fill: red, book.full_mark)) }
  v(1fr)
  for (name, value) in book.facts { block(spacing: 1.2em, text(size: 13pt)[#name：#value]) }
  v(18mm)
})

#{
  set par(first-line-indent: 0em)
  align(center, text(font: sans, size: 18pt)[目#h(1em)录])
  v(4mm)
  show outline.entry.where(level: 1): set block(above: 1.1em)
  outline(title: none, depth: 2, indent: 1.5em)
}

#for chapter in book.chapters {
  let first = chapter.blocks.first(default: (kind: ""))
  if first.kind == "table" and first.wide {
    page(flipped: true, {
      show heading.where(level: 1): it => align(center, block(below: 1.4em, text(size: 18pt, it.body)))
      heading(level: 1, chapter.head)
      sheet-table(first)
    })
    for part in chapter.blocks.slice(1) { draw(part) }
    continue
  }
  heading(level: 1, chapter.head)
  let maps = chapter.blocks.filter(b => b.kind == "map")
  if maps.len() > 0 { list(..maps.map(b => link(label(b.label), b.label + "  " + b.title))) }
  for part in chapter.blocks { draw(part) }
}
"""
