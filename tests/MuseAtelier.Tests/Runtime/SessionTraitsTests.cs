using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Runtime;

public sealed class SessionTraitsTests
{
    private static readonly Precisions Mixed = new(Precision.Fp32, Precision.Fp16, Precision.Fp16);

    [Theory]
    [InlineData(ComponentNames.ClipL, false, SessionArithmetic.Fp32, false)]
    [InlineData(ComponentNames.ClipG, false, SessionArithmetic.Fp32, false)]
    [InlineData(ComponentNames.CrossAttention, false, SessionArithmetic.Fp16, false)]
    [InlineData(ComponentNames.TimeEmbedding, false, SessionArithmetic.Fp16, false)]
    [InlineData(ComponentNames.UNet, false, SessionArithmetic.Fp16, true)]
    [InlineData(ComponentNames.VaeDecoder, true, SessionArithmetic.Fp16, true)]
    [InlineData(ComponentNames.VaeEncoder, true, SessionArithmetic.Fp16, true)]
    [InlineData(ComponentNames.VaeDecoderFp32, true, SessionArithmetic.Fp32Range, true)]
    internal void Of_APackageAsACardTakesIt_FollowsThePart(
        string component, bool hasOwnArena, SessionArithmetic arithmetic, bool usesCudnn) =>
        Assert.Equal(new SessionTraits(hasOwnArena, arithmetic) { UsesCudnn = usesCudnn }, Of(Mixed, component));

    // fp16 attention runs a cuDNN kernel.
    [Fact]
    public void Of_ATextEncoderInFp16_UsesCudnn() => Assert.True(Of(Precisions.All(Precision.Fp16), ComponentNames.ClipL).UsesCudnn);

    // An fp32 part was chosen for its precision and must keep it. Only the decoder that replaces an fp16 one needs no more than fp16 had.
    [Theory]
    [InlineData(ComponentNames.ClipL)]
    [InlineData(ComponentNames.UNet)]
    [InlineData(ComponentNames.VaeDecoder)]
    public void Of_AnFp32Part_KeepsItsDigits(string component) =>
        Assert.Equal(SessionArithmetic.Fp32, Of(Precisions.All(Precision.Fp32), component).Arithmetic);

    private static SessionTraits Of(Precisions precisions, string component)
    {
        var manifest = new PackageManifest
        {
            FormatVersion = PackageManifest.CurrentFormatVersion,
            ExporterVersion = "",
            Lowering = Lowering.Cuda,
            Precisions = precisions,
            Checkpoint = null!,
            Model = null!,
            Components = [],
            Files = [],
        };
        var spec = new ComponentSpec { Name = component, Inputs = [], Outputs = [], Intermediates = [], Stages = [] };
        return SessionTraits.Of(manifest, spec);
    }
}
