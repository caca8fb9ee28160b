using System.Text;
using MuseAtelier.Pictures;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damaged records of pictures.</summary>
internal sealed class RecordTarget : FuzzTarget
{
    private readonly byte[] _record;
    private readonly AtelierOptions _options = new() { Backend = StormDevice.Cpu.Create() };
    private string _input = "";

    public RecordTarget()
    {
        var request = new PictureRequest
        {
            Prompt = "夜 \"sea\"",
            NegativePrompt = "fog",
            Width = 512,
            Height = 768,
            Steps = 3,
            Conditioning = new MicroConditioning(1, 2, 3, 4, 5, 6),
            Frame = new PictureFrame(FrameStyle.Celadon, FramePlacement.Outside),
        };
        _record = Encoding.UTF8.GetBytes(
            PictureRecord.Of(StormPicture.Of(request, 64, 48, new byte[64 * 48 * 3]), new RecordedEncoding(PictureFormat.Png)).ToJson()
        );
    }

    public override byte[] Prepare(Random random, int index)
    {
        byte[] input = index == 0 ? _record : JsonFuzz.Damage(random, _record);
        _input = Encoding.UTF8.GetString(input);
        return input;
    }

    // A record that is read must be writable, valid and paintable.
    public override void Read()
    {
        PictureRecord record = PictureRecord.Parse("a.png", _input);
        record.ToJson();
        PictureVerifier.Suit(record, _options);
        _ = record.Engine.BatchSlot;
        PictureRequestException.ThrowIfUnpaintable(record.Request);
        ParametersText.Write(record.Request, record.Model.Name, record.Model.Sha256, record.Engine.Version);
    }
}
