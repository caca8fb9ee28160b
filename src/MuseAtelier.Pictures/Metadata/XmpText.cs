using System.Xml;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>What other programs write into an XMP packet: who they are, and a comment.</summary>
/// <param name="Creator">The program; null where the packet does not say.</param>
/// <param name="Comment">The comment, as EXIF knows it; null where there is none.</param>
internal sealed record XmpText(string? Creator, string? Comment)
{
    // Packets are shallow; a deep one would only take memory.
    private const int DeepestElement = 64;

    private const string Xmp = "http://ns.adobe.com/xap/1.0/", Exif = "http://ns.adobe.com/exif/1.0/";

    /// <summary>Reads a packet; null where it is no XML that may be read.</summary>
    public static XmpText? Read(string packet)
    {
        if (packet.Length > ParametersText.Longest) return null;
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            ConformanceLevel = ConformanceLevel.Fragment,
        };
        try
        {
            using XmlReader reader = XmlReader.Create(new StringReader(packet.TrimStart('\uFEFF').TrimEnd('\0')), settings);
            string? creator = null, comment = null;
            while (reader.Read())
            {
                if (reader.Depth > DeepestElement) return null;
                if (reader.NodeType != XmlNodeType.Element) continue;
                // Either may stand as an attribute of the description, or as an element of its own.
                creator ??= reader.GetAttribute("CreatorTool", Xmp);
                comment ??= reader.GetAttribute("UserComment", Exif);
                if ((reader.LocalName, reader.NamespaceURI) == ("CreatorTool", Xmp)) creator ??= Content(reader);
                else if ((reader.LocalName, reader.NamespaceURI) == ("UserComment", Exif)) comment ??= Content(reader);
            }

            return new XmpText(creator, comment);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    // The text within an element, through the list of languages that may be around it.
    private static string? Content(XmlReader reader)
    {
        if (reader.IsEmptyElement) return null;
        int depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth && reader.Depth <= DeepestElement)
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && !string.IsNullOrWhiteSpace(reader.Value))
                return reader.Value.Trim();
        return null;
    }
}
